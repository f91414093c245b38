"""Softmax over items at every step of every history, with a gradient that never holds more than the probabilities; its number format."""

from pathlib import Path
from typing import Any, Literal

import tensorflow as tf

PROBABILITY_MIN = 1e-30


def next_item_loss(
    query: tf.Tensor,
    items: tf.Tensor,
    offset: tf.Tensor,
    target: tf.Tensor,
    *,
    precision: tf.DType,
    smoothing: float = 0.0,
    weight: tf.Tensor | None = None,
) -> tf.Tensor:
    """Mean negative log-likelihood of the targets.

    Args:
        query: float32 [steps, dim], over the temperature.
        items: float32 [items, dim].
        offset: float32 [items], added to every step's logits: minus the log of the share of batches that an item is in, where items are
            sampled (Bengio and Senecal, IEEE Trans. Neural Networks 2008); very low for items that are no choice.
        target: int32 [steps], rows of `items`.
        precision: of products and probabilities; what is summed over steps is float32.
        smoothing: share of a target that goes to all items alike (Szegedy et al., CVPR 2016). It is in the gradient and not in the value,
            which stays comparable between settings.
        weight: float32 [steps], what each counts, 1 in the mean; None where all count alike.

    Returns:
        float32 [].
    """

    @tf.custom_gradient
    def loss(query: tf.Tensor, items: tf.Tensor) -> tuple[tf.Tensor, Any]:
        low_items = tf.cast(items, precision)
        logits = tf.matmul(tf.cast(query, precision), low_items, transpose_b=True) + tf.cast(offset, precision)
        probability = tf.nn.softmax(logits)
        steps = tf.shape(query)[0]
        place = tf.stack([tf.range(steps), target], axis=1)
        of_target = tf.cast(tf.gather_nd(probability, place), tf.float32)

        def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            scale = upstream / tf.cast(steps, tf.float32)
            scale = scale if weight is None else scale * weight[:, None]
            weighted = query * scale
            expected = tf.cast(tf.matmul(probability, low_items), tf.float32)
            wanted = (1.0 - smoothing) * tf.gather(items, target) + smoothing * tf.reduce_mean(items, axis=0)
            to_items = tf.cast(tf.matmul(probability, tf.cast(weighted, precision), transpose_a=True), tf.float32)
            to_items -= smoothing * tf.reduce_sum(weighted, axis=0) / tf.cast(tf.shape(items)[0], tf.float32)
            to_items = tf.tensor_scatter_nd_sub(to_items, target[:, None], (1.0 - smoothing) * weighted)
            return (expected - wanted) * scale, to_items

        likelihood = tf.math.log(tf.maximum(of_target, PROBABILITY_MIN))
        return -tf.reduce_mean(likelihood if weight is None else likelihood * weight), gradient

    return loss(query, items)


CPU_FLAGS = Path("/proc/cpuinfo")
NATIVE_FLAG = "amx_bf16"


def softmax_precision(precision: Literal["auto", "float32", "bfloat16"], cpu_flags: Path = CPU_FLAGS) -> tf.DType:
    """The number format of the products with all items: half the bytes and several times the speed where the hardware has it.

    Args:
        precision: auto takes bfloat16 on accelerators and on processors with tiles for it.
        cpu_flags: where Linux says what a processor can do.
    """
    if precision != "auto":
        return tf.as_dtype(precision)
    native = bool(tf.config.list_physical_devices("GPU")) or (cpu_flags.is_file() and NATIVE_FLAG in cpu_flags.read_text().split())
    return tf.bfloat16 if native else tf.float32
