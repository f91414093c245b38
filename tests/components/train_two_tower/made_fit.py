"""Runs for tests of distributed fits, each in a process of its own: devices and workers are fixed before TensorFlow's first operation.

`python made_fit.py replicas OUT`: weights after a few steps of one replica, and of two that share the same batches.
`python made_fit.py worker TRAINING OUT`: a worker's whole fit, and the weights it ends with.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from endcap.training.tensorflow_setup import prepare_tensorflow

SEED, STEPS, DIM = 3, 6, 16


def replicas(training_dir: Path, out: Path) -> None:
    """Weights after STEPS steps: `one`, of one replica, and `two`, of two with unequal parts of the same batches."""
    prepare_tensorflow(SEED, threads=1)
    import tensorflow as tf

    device = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(device, [tf.config.LogicalDeviceConfiguration()] * 2)
    from endcap.training.training_set import TrainingSet
    from endcap_components.train_two_tower.distribution import open_strategy
    from endcap_components.train_two_tower.hyperparameters import TwoTowerHyperparameters
    from endcap_components.train_two_tower.window.train import batch_signature, batch_source, build_model

    training = TrainingSet(training_dir)
    parameters = TwoTowerHyperparameters(dim=DIM, batch_size=24, session_share=0, dropout=0, id_dropout=0)
    trained = np.flatnonzero(training.eligible_at(training.manifest.ranking_windows[0])).astype(np.int32)
    source = batch_source(training, trained, parameters, SEED)
    whole = [batch for batch, _ in zip(source.epoch(0), range(STEPS), strict=False)]
    weights = {}
    for name, distribution in (("one", "none"), ("two", "mirrored")):
        strategy = open_strategy(distribution)
        tf.keras.utils.set_random_seed(SEED)
        with strategy.tf.scope():
            model = build_model(training, trained, source, parameters, SEED)
            model.compile(optimizer=tf.keras.optimizers.SGD(0.5))

        def batches(count: int = strategy.worker.replicas) -> Iterator[dict[str, np.ndarray]]:
            for batch in whole:
                yield from [batch] if count == 1 else halves(batch)

        def dataset(_: object, given: object = batches) -> tf.data.Dataset:
            return tf.data.Dataset.from_generator(given, output_signature=batch_signature(source))

        fitted = model.fit(strategy.tf.distribute_datasets_from_function(dataset), steps_per_epoch=STEPS, verbose=0)
        weights |= {f"{name}/{number}": values for number, values in enumerate(model.get_weights())}
        weights[f"{name}/loss"] = np.array(fitted.history["loss"][-1])
        weights[f"{name}/replicas"] = np.array(strategy.worker.replicas)
    np.savez(out, **weights)


def halves(batch: dict[str, np.ndarray]) -> list[dict[str, np.ndarray]]:
    """The same examples in two parts, one a quarter and one the rest."""
    cut = len(batch["history"]) // 4
    parts = []
    for examples, targets in ((slice(None, cut), batch["row"] < cut), (slice(cut, None), batch["row"] >= cut)):
        part = {name: values[examples] for name, values in batch.items() if len(values) == len(batch["history"]) and values.ndim == 2}
        part |= {name: batch[name][targets] for name in ("target", "weight")}
        part["row"] = batch["row"][targets] - (examples.start or 0)
        parts.append({**batch, **part})
    return parts


def worker(training_dir: Path, out: Path) -> None:
    """Fit as one of TF_CONFIG's workers."""
    prepare_tensorflow(SEED, threads=1)
    from endcap_components.train_two_tower.distribution import open_strategy

    strategy = open_strategy("auto")
    from endcap.training.training_set import TrainingSet
    from endcap_components.train_two_tower.hyperparameters import TwoTowerHyperparameters
    from endcap_components.train_two_tower.window.train import fit_two_tower

    parameters = TwoTowerHyperparameters(dim=DIM, batch_size=128, learning_rate=0.01)
    model, metrics = fit_two_tower(TrainingSet(training_dir), parameters, SEED, strategy=strategy)
    np.savez(out, *model.get_weights(), index=strategy.worker.index, replicas=metrics["replicas"], loss=metrics["loss"])
    strategy.barrier()


if __name__ == "__main__":
    {"replicas": replicas, "worker": worker}[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
