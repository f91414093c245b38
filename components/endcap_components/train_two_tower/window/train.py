"""Fitting the two-tower."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from scipy import sparse

from endcap.features.columns import CONTEXT, HISTORY_LENGTH, ITEM_NUMERIC, USER_CATEGORICAL, USER_NUMERIC
from endcap.training.normalisation import RunningStandardisation
from endcap.training.tensorflow_setup import fit_progress
from endcap.training.training_set import TrainingSet
from endcap.training.workers import Worker
from endcap_components.train_two_tower.checkpoints import Checkpoints
from endcap_components.train_two_tower.content import item_content
from endcap_components.train_two_tower.distribution import Strategy
from endcap_components.train_two_tower.hyperparameters import TwoTowerHyperparameters
from endcap_components.train_two_tower.made_variables import blank_batch, make_optimizer_variables
from endcap_components.train_two_tower.warm_start import bought_block, co_purchase_factors
from endcap_components.train_two_tower.window.batches import BatchSource, Inputs
from endcap_components.train_two_tower.window.item_tower import ItemTower
from endcap_components.train_two_tower.window.model import TwoTower
from endcap_components.train_two_tower.window.query_tower import QueryTower

WARM_UP_SHARE = 0.1


def fit_two_tower(
    training: TrainingSet,
    parameters: TwoTowerHyperparameters,
    seed: int,
    *,
    strategy: Strategy | None = None,
    checkpoints: Checkpoints | None = None,
) -> tuple[TwoTower, dict[str, float]]:
    """Build and fit a two-tower.

    The softmax runs over the items eligible at the first ranking window; all targets end before it.

    Args:
        training: a training set, of which the examples are streamed.
        parameters: hyperparameters; `batch_size` is that of all replicas together.
        seed: of everything random.
        strategy: devices and workers; one device when left out.
        checkpoints: what a restart goes on from; none when left out.

    Returns:
        The model, and the loss of the last step with the counts it was fitted on.
    """
    strategy = strategy or Strategy(tf.distribute.get_strategy(), Worker())
    trained = np.flatnonzero(training.eligible_at(training.manifest.ranking_windows[0])).astype(np.int32)
    source = batch_source(training, trained, parameters, seed)
    steps = source.steps(strategy.worker)
    with strategy.tf.scope():
        model = build_model(training, trained, source, parameters, seed)
        model.compile(optimizer=tf.keras.optimizers.legacy.Adam(_schedule(parameters, steps), epsilon=1e-7))
        _make_variables(model, source)
    callbacks = [fit_progress("two-tower", epochs=parameters.epochs, steps=steps)]
    if checkpoints is not None:
        callbacks.append(checkpoints.callback())
    history = model.fit(_dataset(source, model, strategy), epochs=parameters.epochs, steps_per_epoch=steps, verbose=0, callbacks=callbacks)
    return model, {
        "loss": float(history.history["loss"][-1]),
        "examples": float(len(source.shards)),
        "trained_items": float(len(trained)),
        "sampled_softmax": float(source.sampled),
        "replicas": float(strategy.worker.count * strategy.worker.replicas),
    }


def _make_variables(model: TwoTower, source: BatchSource) -> None:
    inputs = blank_batch(batch_signature(source))
    model.compute_loss(inputs if source.sampled else inputs | {"item_numeric": source.item_numeric[0]})
    make_optimizer_variables(model)


def _dataset(source: BatchSource, model: TwoTower, strategy: Strategy) -> Any:
    """The batches of each replica: this worker's own, from the step on that the model stands at when reading begins."""

    def of_worker(_: tf.distribute.InputContext) -> tf.data.Dataset:
        def batches() -> Iterator[Inputs]:
            return source.batches(strategy.worker, first_step=int(model.optimizer.iterations.numpy()))

        dataset = tf.data.Dataset.from_generator(batches, output_signature=batch_signature(source))
        return dataset.prefetch(2 * strategy.worker.replicas)

    return strategy.tf.distribute_datasets_from_function(of_worker)


def batch_source(training: TrainingSet, trained: NDArray[np.int32], parameters: TwoTowerHyperparameters, seed: int) -> BatchSource:
    """Batches over a training set's newest examples, full or sampled as the number of trained items asks for."""
    place = np.full(len(training.items), -1, dtype=np.int32)
    place[trained] = np.arange(len(trained))
    snapshots = training.manifest.snapshots
    item_numeric = np.zeros((len(snapshots), len(trained), len(ITEM_NUMERIC)), dtype=np.float32)
    for number, moment in enumerate(snapshots):
        item_numeric[number] = training.items_at(moment).numeric[trained]
    shards = training.examples.newest(parameters.snapshot_share, parameters.examples_max)
    return BatchSource(shards, item_numeric, place, parameters, sampled=len(trained) > parameters.full_softmax_items_max, seed=seed)


def build_model(
    training: TrainingSet, trained: NDArray[np.int32], source: BatchSource, parameters: TwoTowerHyperparameters, seed: int
) -> TwoTower:
    """An untrained two-tower with the constants of the training data inside."""
    content = item_content(training.items, parameters.title_buckets, parameters.price_buckets)
    running = RunningStandardisation(len(ITEM_NUMERIC))
    for numeric in source.item_numeric:
        running.add(numeric)
    start = _start(training, source, len(trained), parameters.dim - 1, seed)
    item_tower = ItemTower(parameters.dim, trained, content, running.standardisation(), start=start, id_dropout=parameters.id_dropout)
    category_sizes = [len(training.user_vocabularies[name]) for name in USER_CATEGORICAL]
    query_tower = QueryTower(parameters, source.shards.user_numeric, category_sizes)
    return TwoTower(query_tower, item_tower, trained, parameters.temperature)


def _start(training: TrainingSet, source: BatchSource, trained_count: int, dim: int, seed: int) -> NDArray[np.float32]:
    """Factors of everything bought before the first ranking window; what is bought from there on stays unseen.

    Their training loss flatters them, since they have seen the examples' targets; `docs/decisions/0002-models.md` has what that was
    measured against.
    """
    first = training.manifest.ranking_windows[0]

    def blocks() -> Iterator[sparse.csr_matrix]:
        for sequences in training.sequences.stream():
            before = sequences.before(first)
            place = source.place[before.item_index]
            yield bought_block(before.row[place >= 0], place[place >= 0], len(before), trained_count)

    return co_purchase_factors(blocks, trained_count, dim, np.random.default_rng(seed))


def batch_signature(source: BatchSource) -> dict[str, tf.TensorSpec]:
    """Shapes and types of `BatchSource.epoch`'s batches."""
    integers, floats = tf.int32, tf.float32
    signature = {
        "history": tf.TensorSpec([None, HISTORY_LENGTH], integers),
        "history_age_days": tf.TensorSpec([None, HISTORY_LENGTH], floats),
        "user_numeric": tf.TensorSpec([None, len(USER_NUMERIC)], floats),
        "user_categories": tf.TensorSpec([None, len(USER_CATEGORICAL)], integers),
        "context": tf.TensorSpec([None, len(CONTEXT)], integers),
        "row": tf.TensorSpec([None], integers),
        "target": tf.TensorSpec([None], integers),
        "weight": tf.TensorSpec([None], floats),
        "left_out_row": tf.TensorSpec([None], integers),
        "left_out": tf.TensorSpec([None], integers),
    }
    if not source.sampled:
        return signature | {"item_numeric": tf.TensorSpec([None, len(ITEM_NUMERIC)], floats)}
    return signature | {
        "sampled": tf.TensorSpec([None], integers),
        "sampled_log_q": tf.TensorSpec([None], floats),
        "sampled_numeric": tf.TensorSpec([None, len(ITEM_NUMERIC)], floats),
        "target_log_q": tf.TensorSpec([None], floats),
        "target_numeric": tf.TensorSpec([None, len(ITEM_NUMERIC)], floats),
    }


ITEMS_AT_ONCE = 16_384
"""Items whose identity is worked out together: what comes before it is many times as wide as the identity itself."""


def identities(model: TwoTower) -> NDArray[np.float32]:
    """What does not change with time, of every item of the catalogue: float32 [n + 1, dim - 1], row 0 zeros."""
    index = np.arange(model.item_tower.item_count + 1, dtype=np.int32)
    blocks = [index[start : start + ITEMS_AT_ONCE] for start in range(0, len(index), ITEMS_AT_ONCE)]
    identity = np.concatenate([model.item_tower.identity(block, training=False).numpy() for block in blocks])
    identity[0] = 0
    return identity


def embeddings_at(model: TwoTower, identity: NDArray[np.float32], item_numeric: NDArray[np.float32]) -> NDArray[np.float32]:
    """Embeddings of every item of the catalogue as of one moment: float32 [n + 1, dim], row 0 zeros.

    Args:
        model: a fitted two-tower.
        identity: float32 [n + 1, dim - 1], `identities` of the same model.
        item_numeric: float32 [n + 1, len(ITEM_NUMERIC)], raw.
    """
    blocks = [slice(start, start + ITEMS_AT_ONCE) for start in range(0, len(identity), ITEMS_AT_ONCE)]
    embeddings = np.concatenate([model.item_tower.at_moment(identity[block], item_numeric[block]).numpy() for block in blocks])
    embeddings[0] = 0
    return embeddings


def _schedule(parameters: TwoTowerHyperparameters, steps: int) -> tf.keras.optimizers.schedules.LearningRateSchedule:
    total = steps * parameters.epochs
    warm_up = max(1, int(total * WARM_UP_SHARE))
    return tf.keras.optimizers.schedules.CosineDecay(
        0.0, decay_steps=max(1, total - warm_up), warmup_target=parameters.learning_rate, warmup_steps=warm_up
    )
