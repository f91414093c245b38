"""Fitting the ranker and calibrating it on held-out users."""

from collections.abc import Iterator, Mapping
from typing import Protocol

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from endcap.evaluation.calibration import calibration_curve, expected_calibration_error
from endcap.features.columns import CONTEXT, ITEM_NUMERIC, PAIR_NUMERIC, USER_CATEGORICAL, USER_NUMERIC
from endcap.training.normalisation import Standardisation
from endcap.training.tensorflow_setup import fit_progress
from endcap_components.train_ranker.calibration import PlattScaling
from endcap_components.train_ranker.examples import RankingExamples
from endcap_components.train_ranker.hyperparameters import RankerHyperparameters
from endcap_components.train_ranker.model import Ranker, RankerConstants

WARM_UP_SHARE = 0.05
OF_TRAINING = ("labels", "weight", "is_new")
"""What a batch holds beside the inputs of the model."""
CONSTANTS_ROWS_MAX = 500_000
"""Candidates the normalisation is fitted on; more would change no digit that matters."""


def fit_ranker(
    examples: RankingExamples, category_sizes: list[int], parameters: RankerHyperparameters, seed: int
) -> tuple[Ranker, dict[str, PlattScaling], dict[str, float]]:
    """Fit on most users, calibrate on the others.

    Returns:
        The model, its calibration by objective, and metrics.
    """
    rng = np.random.default_rng(seed)
    fitted = np.flatnonzero(~examples.held_out)
    model = Ranker(parameters, constants_of(examples, category_sizes, rng))
    steps = -(-len(fitted) // parameters.queries_a_batch)
    epochs = max(parameters.epochs, -(-parameters.steps_min // steps))
    model.compile(optimizer=_optimizer(parameters, steps * epochs))
    make_variables(model, examples.batch(fitted[:1]))

    def epoch() -> Iterator[dict[str, NDArray]]:  # type: ignore[type-arg]
        return examples.batches(rng.permutation(fitted), parameters.queries_a_batch)

    dataset = tf.data.Dataset.from_generator(epoch, output_signature=batch_signature(examples)).prefetch(4)
    progress = fit_progress("ranker", epochs=epochs, steps=steps)
    history = model.fit(dataset, epochs=epochs, verbose=0, callbacks=[progress])
    calibration, errors = calibrate(model, examples, np.flatnonzero(examples.held_out))
    return model, calibration, {"loss": float(history.history["loss"][-1]), "candidates": float(len(examples.item_row)), **errors}


def make_variables(model: Ranker, batch: dict[str, NDArray]) -> None:  # type: ignore[type-arg]
    """Make the variables of a compiled model and of its optimiser: Keras traces a step twice if they are made in it."""
    model.compute_loss({name: tf.constant(values) for name, values in batch.items()}, training=True)
    model.optimizer.build(model.trainable_variables)


def constants_of(examples: RankingExamples, category_sizes: list[int], rng: np.random.Generator) -> RankerConstants:
    """Normalisation fitted on (a draw of) the candidates."""
    share = examples.weight / examples.weight.sum(dtype=np.float64)
    rows = rng.choice(len(examples.item_row), min(len(examples.item_row), CONSTANTS_ROWS_MAX), p=share)
    return RankerConstants(
        user_numeric=Standardisation.fit(examples.user_numeric),
        item_numeric=Standardisation.fit(examples.item_numeric[examples.item_row[rows]]),
        pair_numeric=Standardisation.fit(examples.pair_numeric[rows]),
        category_sizes=tuple(category_sizes),
        objectives=examples.objectives,
    )


class HasLogits(Protocol):
    """A model of candidates."""

    def logits(self, inputs: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """float32 [m, objectives]."""


def calibrate(model: HasLogits, examples: RankingExamples, queries: NDArray[np.int64]) -> tuple[dict[str, PlattScaling], dict[str, float]]:
    """Platt scaling by objective.

    The error reported is honest: of every other query, with a scaling fitted on the rest; the scaling returned is fitted on all.

    Args:
        model: fitted.
        examples: with the held-out users.
        queries: int64, of the held-out users.
    """
    logits = predict_logits(model, examples, queries)
    rows = examples.rows_of(queries)
    odd = np.repeat(np.arange(len(queries)) % 2 == 1, examples.start[queries + 1] - examples.start[queries])
    calibration, errors = {}, {}
    for column, name in enumerate(examples.objectives):
        logit, label = logits[:, column], examples.labels[rows, column]
        calibration[name] = PlattScaling.fit(logit, label)
        probability = PlattScaling.fit(logit[~odd], label[~odd]).probability(logit[odd])
        errors[f"ece_{name}"] = _calibration_error(probability, label[odd])
        errors[f"ece_{name}_uncalibrated"] = _calibration_error(PlattScaling(1.0, 0.0).probability(logit[odd]), label[odd])
        errors[f"log_loss_{name}"] = _log_loss(probability, label[odd])
    return calibration, errors


def predict_logits(model: HasLogits, examples: RankingExamples, queries: NDArray[np.int64], size: int = 32) -> NDArray[np.float32]:
    """float32 [candidates of the queries, objectives]."""
    predict = tf.function(model.logits, input_signature=[{k: v for k, v in batch_signature(examples).items() if k not in OF_TRAINING}])
    parts = []
    for batch in examples.batches(queries, size):
        parts.append(predict({name: tf.constant(values) for name, values in batch.items() if name not in OF_TRAINING}).numpy())
    return np.concatenate(parts)


def batch_signature(examples: RankingExamples) -> dict[str, tf.TensorSpec]:
    """Shapes and types of `RankingExamples.batch`."""
    dim = examples.query_embedding.shape[1]
    floats = {
        "query_embedding": dim,
        "user_numeric": len(USER_NUMERIC),
        "item_embedding": dim,
        "item_numeric": len(ITEM_NUMERIC),
        "pair_numeric": len(PAIR_NUMERIC),
        "labels": len(examples.objectives),
    }
    integers = {"user_categories": [None, len(USER_CATEGORICAL)], "context": [None, len(CONTEXT)], "query_row": [None]}
    specs = {name: tf.TensorSpec([None, width], tf.float32) for name, width in floats.items()}
    specs |= {name: tf.TensorSpec(shape, tf.int32) for name, shape in integers.items()}
    return specs | {"weight": tf.TensorSpec([None], tf.float32), "is_new": tf.TensorSpec([None], tf.bool)}


def _optimizer(parameters: RankerHyperparameters, total: int) -> tf.keras.optimizers.Optimizer:
    warm_up = max(1, int(total * WARM_UP_SHARE))
    schedule = tf.keras.optimizers.schedules.CosineDecay(
        0.0, decay_steps=max(1, total - warm_up), warmup_target=parameters.learning_rate, warmup_steps=warm_up
    )
    return tf.keras.optimizers.AdamW(schedule, weight_decay=parameters.weight_decay, jit_compile=False)


def _calibration_error(probability: NDArray[np.float32], label: NDArray[np.float32]) -> float:
    return expected_calibration_error(calibration_curve(probability, label > 0))


def _log_loss(probability: NDArray[np.float32], label: NDArray[np.float32]) -> float:
    likelihood = np.where(label > 0, probability, 1.0 - probability.astype(np.float64))
    return float(-np.mean(np.log(np.maximum(likelihood, 1e-9))))
