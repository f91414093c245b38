"""Means of the steps so far, weighted by how recent they are, with decays that are learned."""

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from endcap_components.train_two_tower.next_item.history_encoders.causal_attention import steps_back

SLOWEST, FASTEST = 3.0, -1.5
"""Where the decays start, as logits of what a step keeps: 0.95 to 0.18."""


class DecayedMean(tf.keras.layers.Layer):
    """Each group of dimensions has a decay of its own: a causal low-pass filter over the sequence."""

    def __init__(self, dim: int, groups: int) -> None:
        """
        Args:
            dim: width of the steps, a multiple of `groups`.
            groups: decays.
        """
        super().__init__(name="decayed_mean")
        self._groups, self._size = groups, dim // groups
        self.decay = self.add_weight(name="decay", shape=(groups,), initializer=tf.constant_initializer(_spread(groups)))

    def call(self, sequence: tf.Tensor) -> tf.Tensor:
        """float32 [n, length, dim] to the same shape; a step sees nothing that comes later."""
        shape = tf.shape(sequence)
        back = steps_back(shape[1])
        kept = tf.sigmoid(self.decay)[:, None, None] ** tf.cast(tf.maximum(back, 0), tf.float32)
        weight = tf.where(back >= 0, kept, 0.0)
        weight /= tf.reduce_sum(weight, axis=2, keepdims=True)
        grouped = tf.reshape(sequence, [shape[0], shape[1], self._groups, self._size])
        return tf.reshape(tf.einsum("gts,nsgd->ntgd", weight, grouped), shape)


def _spread(groups: int) -> NDArray[np.float32]:
    return np.linspace(FASTEST, SLOWEST, groups, dtype=np.float32)
