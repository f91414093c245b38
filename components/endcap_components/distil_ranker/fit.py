"""Fitting the student, calibrating it on held-out users, and measuring there how far it agrees with its teacher."""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from endcap.features.columns import OBJECTIVES
from endcap.training.fit_progress import fit_progress
from endcap_components.distil_ranker.hyperparameters import DistillationHyperparameters
from endcap_components.distil_ranker.student import TEACHER_LOGITS, Student
from endcap_components.distil_ranker.teacher import candidate_rows
from endcap_components.train_ranker.calibration import PlattScaling
from endcap_components.train_ranker.examples import RankingExamples
from endcap_components.train_ranker.train import batch_signature, calibrate, constants_of, predict_logits

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
        teacher_logits: float32 [m, len(OBJECTIVES)], of the same candidates.
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

    def epoch() -> Iterator[dict[str, NDArray]]:  # type: ignore[type-arg]
        shuffled = rng.permutation(fitted)
        for start in range(0, len(shuffled), parameters.queries_a_batch):
            queries = shuffled[start : start + parameters.queries_a_batch]
            yield {**examples.batch(queries), TEACHER_LOGITS: teacher_logits[candidate_rows(examples, queries)]}

    signature = batch_signature(examples) | {TEACHER_LOGITS: tf.TensorSpec([None, len(OBJECTIVES)], tf.float32)}
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
        rows = candidate_rows(examples, np.array([query]))
        own, start = logits[start : start + len(rows)], start + len(rows)
        if len(rows) > AGREEMENT_K:
            first = [set(np.argsort(-each, kind="stable")[:AGREEMENT_K].tolist()) for each in (own, teacher_logits[rows, 0])]
            shares.append(len(first[0] & first[1]) / AGREEMENT_K)
    return float(np.mean(shares)) if shares else 1.0
