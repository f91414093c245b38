"""A small student of the ranker: the model, its loss, and its fit to what the teacher says."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from endcap.training.tensorflow_setup import fit_progress
from endcap_components.distil_ranker.hyperparameters import DistillationHyperparameters
from endcap_components.train_ranker.calibration import PlattScaling
from endcap_components.train_ranker.examples import RankingExamples
from endcap_components.train_ranker.hyperparameters import RankerHyperparameters
from endcap_components.train_ranker.model import Ranker, RankerConstants
from endcap_components.train_ranker.train import batch_signature, calibrate, constants_of, make_variables, predict_logits


def soft_cross_entropy(logits: tf.Tensor, teacher_logits: tf.Tensor, temperature: float) -> tf.Tensor:
    """Cross-entropy against the teacher's softened probabilities (Hinton, Vinyals and Dean, 2015), summed over objectives.

    Args:
        logits, teacher_logits: float32 [m, objectives].
        temperature: both are divided by it; its square keeps the gradient's size.

    Returns:
        float32 [], mean over candidates.
    """
    target = tf.sigmoid(teacher_logits / temperature)
    each = tf.nn.sigmoid_cross_entropy_with_logits(target, logits / temperature)
    return temperature**2 * tf.reduce_mean(tf.reduce_sum(each, axis=1))


def soft_listwise(logits: tf.Tensor, teacher_logits: tf.Tensor, query_row: tf.Tensor, queries: tf.Tensor, temperature: float) -> tf.Tensor:
    """Cross-entropy between the teacher's and the student's softmax over a query's candidates.

    The teacher's best candidates have most of the weight, as in ranking distillation (Tang and Wang, KDD 2018).

    Args:
        logits, teacher_logits: float32 [m], of one objective.
        query_row: int32 [m], the query of each candidate.
        queries: int32 [], how many queries there are.
        temperature: both are divided by it; its square keeps the gradient's size.

    Returns:
        float32 [], mean over queries.
    """
    target = tf.exp(_log_softmax(teacher_logits / temperature, query_row, queries))
    each = -tf.math.unsorted_segment_sum(target * _log_softmax(logits / temperature, query_row, queries), query_row, queries)
    return temperature**2 * tf.reduce_mean(each)


def _log_softmax(logits: tf.Tensor, query_row: tf.Tensor, queries: tf.Tensor) -> tf.Tensor:
    highest = tf.stop_gradient(tf.math.unsorted_segment_max(logits, query_row, queries))
    shifted = logits - tf.gather(highest, query_row)
    total = tf.math.unsorted_segment_sum(tf.exp(shifted), query_row, queries)
    return shifted - tf.gather(tf.math.log(tf.maximum(total, 1e-30)), query_row)


TEACHER_LOGITS = "teacher_logits"


class Student(Ranker):
    """One small member that learns from the labels and from a teacher."""

    def __init__(self, parameters: DistillationHyperparameters, constants: RankerConstants) -> None:
        super().__init__(network_of(parameters), constants)
        self._parameters = parameters

    def compute_loss(self, inputs: Mapping[str, Any], training: bool = False) -> tf.Tensor:
        """The ranker's own loss on the labels, and the soft losses on `teacher_logits`, weighted by `soft_share`."""
        known = {name: values for name, values in inputs.items() if name != TEACHER_LOGITS}
        hard = super().compute_loss(known, training=training)
        share = self._parameters.soft_share
        if not share:
            return hard
        return (1 - share) * hard + share * self._soft_loss(known, inputs[TEACHER_LOGITS], training)

    def _soft_loss(self, inputs: Mapping[str, Any], teacher_logits: tf.Tensor, training: bool) -> tf.Tensor:
        parameters, queries = self._parameters, tf.shape(inputs["user_numeric"])[0]
        logits = self.members[0](inputs, training=training)
        pointwise = soft_cross_entropy(logits, teacher_logits, parameters.temperature)
        if not parameters.listwise_weight:
            return pointwise
        listwise = soft_listwise(logits[:, 0], teacher_logits[:, 0], inputs["query_row"], queries, parameters.temperature)
        return pointwise + parameters.listwise_weight * listwise


def network_of(parameters: DistillationHyperparameters) -> RankerHyperparameters:
    """The student's network as the ranker's hyperparameters describe it."""
    return RankerHyperparameters(
        cross_layers=0,
        members=1,
        hidden=parameters.hidden,
        user_width=parameters.user_width,
        item_width=parameters.item_width,
        listwise_weight=parameters.listwise_weight,
    )


AGREEMENT_K = 10


def fit_student(
    examples: RankingExamples,
    teacher_logits: NDArray[np.float32],
    category_sizes: list[int],
    parameters: DistillationHyperparameters,
    seed: int,
) -> tuple[Student, dict[str, PlattScaling], dict[str, float]]:
    """Fit on most users, calibrate on the others.

    Args:
        examples: as the teacher's.
        teacher_logits: float32 [m, objectives], of the same candidates.
        category_sizes: of the user categories' vocabularies.
        parameters: hyperparameters.
        seed: of everything random.

    Returns:
        The student, its calibration by objective, and metrics.
    """
    rng = np.random.default_rng(seed)
    fitted, judged = np.flatnonzero(~examples.held_out), np.flatnonzero(examples.held_out)
    student = Student(parameters, constants_of(examples, category_sizes, rng))
    steps = -(-len(fitted) // parameters.queries_a_batch)
    epochs = max(parameters.epochs, -(-parameters.steps_min // steps))
    schedule = tf.keras.optimizers.schedules.CosineDecay(parameters.learning_rate, decay_steps=steps * epochs)
    student.compile(optimizer=tf.keras.optimizers.Adam(schedule, jit_compile=False))
    make_variables(student, {**examples.batch(fitted[:1]), TEACHER_LOGITS: teacher_logits[examples.rows_of(fitted[:1])]})

    def epoch() -> Iterator[dict[str, NDArray]]:  # type: ignore[type-arg]
        shuffled = rng.permutation(fitted)
        for start in range(0, len(shuffled), parameters.queries_a_batch):
            queries = shuffled[start : start + parameters.queries_a_batch]
            yield {**examples.batch(queries), TEACHER_LOGITS: teacher_logits[examples.rows_of(queries)]}

    signature = batch_signature(examples) | {TEACHER_LOGITS: tf.TensorSpec([None, len(examples.objectives)], tf.float32)}
    dataset = tf.data.Dataset.from_generator(epoch, output_signature=signature).prefetch(4)
    progress = fit_progress("student", epochs=epochs, steps=steps)
    history = student.fit(dataset, epochs=epochs, verbose=0, callbacks=[progress])
    calibration, errors = calibrate(student, examples, judged)
    agreement = _agreement(predict_logits(student, examples, judged)[:, 0], teacher_logits, examples, judged)
    size = float(sum(int(np.prod(each.shape)) for each in student.trainable_variables))
    return student, calibration, {"loss": float(history.history["loss"][-1]), "parameters": size, "agreement": agreement, **errors}


def _agreement(
    logits: NDArray[np.float32], teacher_logits: NDArray[np.float32], examples: RankingExamples, queries: NDArray[np.int64]
) -> float:
    """Share of the teacher's first ten that are among the student's first ten, mean over queries with more candidates than that."""
    shares, start = [], 0
    for query in queries:
        rows = examples.rows_of(np.array([query]))
        own, start = logits[start : start + len(rows)], start + len(rows)
        if len(rows) > AGREEMENT_K:
            first = [set(np.argsort(-each, kind="stable")[:AGREEMENT_K].tolist()) for each in (own, teacher_logits[rows, 0])]
            shares.append(len(first[0] & first[1]) / AGREEMENT_K)
    return float(np.mean(shares)) if shares else 1.0
