import numpy as np
import pytest

from endcap.training.tensorflow_setup import prepare_tensorflow

prepare_tensorflow(0)

import tensorflow as tf  # noqa: E402

from endcap_components.train_ranker.model import listwise_softmax  # noqa: E402


def loss(logits: list[float], labels: list[float], rows: list[int], weights: list[float] | None = None) -> float:
    weight = tf.constant(weights or [1.0] * len(logits))
    queries = tf.constant(max(rows) + 1)
    return float(listwise_softmax(tf.constant(logits), tf.constant(labels, tf.float32), weight, tf.constant(rows), queries))


def test_one_purchase_is_cross_entropy_over_its_own_query() -> None:
    expected = -np.log(np.exp(0.5) / (np.exp(0.5) + np.exp(1.5)))
    assert loss([0.5, 1.5, 9.0], [1, 0, 0], [0, 0, 1]) == pytest.approx(expected, rel=1e-5)


def test_query_without_purchase_does_not_count() -> None:
    assert loss([0.5, 1.5, 9.0, 3.0], [1, 0, 0, 0], [0, 0, 1, 1]) == pytest.approx(loss([0.5, 1.5], [1, 0], [0, 0]), rel=1e-5)


def test_shift_of_a_querys_logits_changes_nothing() -> None:
    assert loss([100.5, 101.5, 1.0], [1, 0, 1], [0, 0, 1]) == pytest.approx(loss([0.5, 1.5, 1.0], [1, 0, 1], [0, 0, 1]), rel=1e-4)


def test_a_candidate_counts_as_many_as_its_weight() -> None:
    assert loss([0.5, 1.5], [1, 0], [0, 0], [1.0, 3.0]) == pytest.approx(loss([0.5, 1.5, 1.5, 1.5], [1, 0, 0, 0], [0] * 4), rel=1e-5)


def test_a_candidate_without_weight_is_left_out() -> None:
    assert loss([0.5, 1.5, 9.0], [1, 0, 1], [0, 0, 0], [1.0, 1.0, 0.0]) == pytest.approx(loss([0.5, 1.5], [1, 0], [0, 0]), rel=1e-5)
