import numpy as np
import pytest

from endcap.training.tensorflow_setup import prepare_tensorflow

prepare_tensorflow(0)

import tensorflow as tf  # noqa: E402

from endcap_components.train_two_tower.window.model import full_softmax_loss, sampled_softmax_loss  # noqa: E402

QUERIES, ITEMS = 3, 9
LOGITS = np.random.default_rng(0).normal(size=(QUERIES, ITEMS)).astype(np.float32)
NOTHING = np.zeros((0, 2), dtype=np.int32)


def full(left_out: np.ndarray, row: list[int], column: list[int], weight: list[float]) -> float:
    targets = (tf.constant(row), tf.constant(column), tf.constant(weight))
    return float(full_softmax_loss(tf.constant(LOGITS), tf.eye(ITEMS), tf.constant(left_out), *targets))


def test_single_target_is_cross_entropy() -> None:
    expected = -np.log(np.exp(LOGITS[1, 4]) / np.exp(LOGITS[1]).sum())
    assert full(NOTHING, [1], [4], [1.0]) == pytest.approx(expected, rel=1e-5)


def test_items_left_out_are_no_competition() -> None:
    left_out = np.array([[1, item] for item in range(ITEMS) if item != 4], dtype=np.int32)
    assert full(left_out, [1], [4], [1.0]) == pytest.approx(0, abs=1e-5)


def test_gradient_is_that_of_the_log_likelihood() -> None:
    rng = np.random.default_rng(1)
    query, items = (tf.Variable(rng.normal(size=(rows, 4)).astype(np.float32)) for rows in (QUERIES, ITEMS))
    row, column, weight = tf.constant([0, 0, 2]), tf.constant([5, 4, 0]), tf.constant([1.0, 0.2, 0.5])
    left_out = tf.constant([[0, 1], [2, 8]])
    with tf.GradientTape() as plain:
        logits = tf.matmul(query, items, transpose_b=True)
        choices = tf.tensor_scatter_nd_update(logits, left_out, tf.fill([2], -1e9))
        each = tf.gather(tf.reduce_logsumexp(choices, axis=1), row) - tf.gather_nd(logits, tf.stack([row, column], axis=1))
        expected = tf.reduce_sum(each * weight) / tf.reduce_sum(weight)
    with tf.GradientTape() as lean:
        loss = full_softmax_loss(query, items, left_out, row, column, weight)
    assert float(loss) == pytest.approx(float(expected), rel=1e-5)
    for found, known in zip(lean.gradient(loss, [query, items]), plain.gradient(expected, [query, items]), strict=True):
        np.testing.assert_allclose(tf.convert_to_tensor(found), tf.convert_to_tensor(known), atol=1e-6)


def test_weights_make_a_mean() -> None:
    both = full(NOTHING, [0, 2], [1, 3], [3.0, 1.0])
    assert both == pytest.approx(0.75 * full(NOTHING, [0], [1], [1.0]) + 0.25 * full(NOTHING, [2], [3], [1.0]), rel=1e-5)


def test_sampling_every_item_once_is_the_full_softmax() -> None:
    row, column = np.array([0, 1, 2], dtype=np.int32), np.array([5, 4, 0], dtype=np.int32)
    log_q = np.zeros(ITEMS, dtype=np.float32)
    loss = sampled_softmax_loss(
        sampled_logits=tf.constant(LOGITS),
        sampled_log_q=tf.constant(log_q),
        left_out=tf.constant(np.stack([row, column], axis=1)),
        target_logit=tf.constant(LOGITS[row, column]),
        target_log_q=tf.constant(log_q[column]),
        row=tf.constant(row),
        weight=tf.ones(3),
    )
    assert float(loss) == pytest.approx(full(NOTHING, row.tolist(), column.tolist(), [1.0, 1.0, 1.0]), rel=1e-5)


def test_correction_undoes_how_often_an_item_is_drawn() -> None:
    """An item drawn three times with three times the expected count weighs as much as once with one."""
    target_logit, row = tf.constant([0.5]), tf.constant([0])
    once = sampled_softmax_loss(
        sampled_logits=tf.constant([[1.0, 2.0]]),
        sampled_log_q=tf.math.log([1.0, 1.0]),
        left_out=tf.constant(NOTHING),
        target_logit=target_logit,
        target_log_q=tf.constant([0.0]),
        row=row,
        weight=tf.ones(1),
    )
    thrice = sampled_softmax_loss(
        sampled_logits=tf.constant([[1.0, 1.0, 1.0, 2.0]]),
        sampled_log_q=tf.math.log([3.0, 3.0, 3.0, 1.0]),
        left_out=tf.constant(NOTHING),
        target_logit=target_logit,
        target_log_q=tf.constant([0.0]),
        row=row,
        weight=tf.ones(1),
    )
    assert float(once) == pytest.approx(float(thrice), rel=1e-5)
