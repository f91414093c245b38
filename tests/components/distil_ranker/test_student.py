"""The student learns what its teacher thinks, from a fraction of the weights."""

from pathlib import Path

import numpy as np
import pytest

from endcap.training.tensorflow_setup import prepare_tensorflow

prepare_tensorflow(0)

import tensorflow as tf  # noqa: E402

from endcap.core.errors import DataRejected, InvalidInput  # noqa: E402
from endcap.features.columns import PURCHASE_OBJECTIVES  # noqa: E402
from endcap_components.distil_ranker.hyperparameters import DistillationHyperparameters  # noqa: E402
from endcap_components.distil_ranker.student import (  # noqa: E402
    fit_student,
    soft_cross_entropy,
    soft_listwise,
)
from endcap_components.distil_ranker.teacher import PROBABILITY_MIN, Teacher  # noqa: E402
from endcap_components.train_ranker.calibration import PlattScaling  # noqa: E402
from endcap_components.train_ranker.export import ServedRanker, export_ranker  # noqa: E402
from endcap_components.train_ranker.hyperparameters import RankerHyperparameters  # noqa: E402
from endcap_components.train_ranker.train import fit_ranker, predict_logits  # noqa: E402
from tests.components.distil_ranker.made_examples import CATEGORY_SIZES, DIM, ITEMS, made_examples  # noqa: E402

pytestmark = pytest.mark.training

STUDENT = DistillationHyperparameters(epochs=1, steps_min=250, hidden=(16,), held_out_share=0.2, learning_rate=0.01, soft_share=1.0)


def test_the_student_agrees_with_a_teacher_that_no_label_shows() -> None:
    examples = made_examples()
    teacher = np.stack([2 * examples.pair_numeric[:, 1] - 1, -examples.pair_numeric[:, 2]], axis=1).astype(np.float32)
    _, calibration, metrics = fit_student(examples, teacher, CATEGORY_SIZES, STUDENT, seed=1)
    assert metrics["agreement"] > 0.85
    assert set(calibration) == set(PURCHASE_OBJECTIVES)


def test_a_soft_share_of_zero_is_learning_from_labels_alone() -> None:
    examples = made_examples(queries=60)
    alone = STUDENT.model_copy(update={"soft_share": 0.0, "steps_min": 5})
    logits = []
    for teacher in (np.zeros((len(examples.item_row), 2), np.float32), np.full((len(examples.item_row), 2), 3, np.float32)):
        prepare_tensorflow(0)
        student, _, _ = fit_student(examples, teacher, CATEGORY_SIZES, alone, seed=1)
        logits.append(predict_logits(student, examples, np.arange(60)))
    np.testing.assert_allclose(*logits, rtol=1e-5)


LOGIT_MIN = np.log(PROBABILITY_MIN / (1 - PROBABILITY_MIN))


def test_the_teacher_is_asked_as_of_each_window_and_left_as_it_was(tmp_path: Path) -> None:
    examples = made_examples(queries=20)
    parameters = RankerHyperparameters(epochs=1, steps_min=1, members=2, hidden=(8,), held_out_share=0.2)
    model, calibration, _ = fit_ranker(examples, CATEGORY_SIZES, parameters, seed=0)
    export_ranker(ServedRanker(model, calibration, np.zeros((ITEMS + 1, DIM), np.float32)), tmp_path / "saved_model")
    found = Teacher(tmp_path).logits(examples)
    expected = predict_logits(model, examples, np.arange(20))
    for column, name in enumerate(PURCHASE_OBJECTIVES):
        scaling: PlattScaling = calibration[name]
        logits = np.clip(scaling.slope * expected[:, column] + scaling.offset, LOGIT_MIN, -LOGIT_MIN)
        np.testing.assert_allclose(found[:, column], logits, atol=1e-2)


def test_what_is_no_ranker_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataRejected, match="not a SavedModel"):
        Teacher(tmp_path)


def test_soft_losses_are_least_where_the_student_says_what_the_teacher_says() -> None:
    teacher, row = tf.constant([[1.0, -1.0], [-2.0, 0.5], [0.3, 0.0]]), tf.constant([0, 0, 1])
    for temperature in (1.0, 3.0):
        for shift in (-0.3, 0.3):
            moved = teacher + tf.constant([[shift, 0.0], [0.0, 0.0], [0.0, 0.0]])
            assert soft_cross_entropy(teacher, teacher, temperature) < soft_cross_entropy(moved, teacher, temperature)
            assert soft_listwise(teacher[:, 0], teacher[:, 0], row, tf.constant(2), temperature) < soft_listwise(
                moved[:, 0], teacher[:, 0], row, tf.constant(2), temperature
            )


def test_nothing_given_is_no_distillation_and_unknown_names_are_refused() -> None:
    assert DistillationHyperparameters.of({}) is None
    with pytest.raises(InvalidInput, match=r"distil\.depth"):
        DistillationHyperparameters.of({"depth": 3})
