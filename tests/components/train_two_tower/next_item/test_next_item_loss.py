from pathlib import Path

import numpy as np
import pytest

from endcap.training.tensorflow_setup import prepare_tensorflow

prepare_tensorflow(0)

import tensorflow as tf  # noqa: E402

from endcap_components.train_two_tower.next_item.next_item_loss import next_item_loss, softmax_precision  # noqa: E402

STEPS, ITEMS, DIM = 7, 11, 5


@pytest.mark.parametrize(("precision", "tolerance"), [(tf.float32, 1e-5), (tf.bfloat16, 3e-2)])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_loss_and_gradient_are_those_of_the_softmax(precision: tf.DType, tolerance: float, smoothing: float) -> None:
    rng = np.random.default_rng(0)
    query, items = (tf.constant(rng.normal(size=(rows, DIM)), tf.float32) for rows in (STEPS, ITEMS))
    offset = tf.constant(rng.normal(size=ITEMS), tf.float32)
    target = tf.constant(rng.integers(0, ITEMS, STEPS), tf.int32)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([query, items])
        ours = next_item_loss(query, items, offset, target, precision=precision, smoothing=smoothing)
        wanted = (1 - smoothing) * tf.one_hot(target, ITEMS) + smoothing / ITEMS
        logits = tf.matmul(query, items, transpose_b=True) + offset
        theirs = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(wanted, logits))
        plain = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(target, logits))
    assert float(ours) == pytest.approx(float(plain), abs=tolerance)
    for gradient, expected in zip(tape.gradient(ours, [query, items]), tape.gradient(theirs, [query, items]), strict=True):
        np.testing.assert_allclose(gradient.numpy(), expected.numpy(), atol=tolerance)


def test_step_of_double_weight_counts_as_two() -> None:
    rng = np.random.default_rng(0)
    query, items = (tf.constant(rng.normal(size=(rows, DIM)), tf.float32) for rows in (3, ITEMS))
    target, twice = tf.constant([1, 4, 2]), [0, 1, 2, 2]
    losses, gradients = [], []
    for rows, weight in (([0, 1, 2], tf.constant([0.75, 0.75, 1.5])), (twice, None)):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch([query, items])
            asked = tf.gather(query, rows), items, tf.zeros(ITEMS), tf.gather(target, rows)
            losses.append(next_item_loss(*asked, precision=tf.float32, smoothing=0.1, weight=weight))
        gradients.append([tf.convert_to_tensor(each).numpy() for each in tape.gradient(losses[-1], [query, items])])
    assert float(losses[0]) == pytest.approx(float(losses[1]), abs=1e-6)
    for weighted, repeated in zip(*gradients, strict=True):
        np.testing.assert_allclose(weighted, repeated, atol=1e-6)


def test_item_that_is_no_choice_has_no_gradient() -> None:
    items = tf.ones([3, 2])
    with tf.GradientTape() as tape:
        tape.watch(items)
        loss = next_item_loss(tf.ones([1, 2]), items, tf.constant([-1e9, 0.0, 0.0]), tf.constant([1]), precision=tf.float32)
    np.testing.assert_array_equal(tape.gradient(loss, items).numpy()[0], 0.0)


def test_precision_follows_the_processor(tmp_path: Path) -> None:
    flags = tmp_path / "cpuinfo"
    flags.write_text("flags : avx2 amx_bf16 amx_tile")
    assert softmax_precision("auto", flags) == tf.bfloat16
    flags.write_text("flags : avx2")
    assert softmax_precision("auto", flags) == tf.float32
    assert softmax_precision("auto", tmp_path / "missing") == tf.float32
    assert softmax_precision("float32", flags) == tf.float32
