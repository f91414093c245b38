"""The running mean of a history: the least that can be said about it."""

import tensorflow as tf


class RunningMean(tf.keras.layers.Layer):
    """Each step becomes the mean of itself and all steps before, then a layer that bends it."""

    def __init__(self, dim: int, dropout: float) -> None:
        super().__init__(name="running_mean")
        self.bend = tf.keras.layers.Dense(dim, activation="gelu")
        self.out = tf.keras.layers.Dense(dim)
        self.dropout = tf.keras.layers.Dropout(dropout)

    def call(self, sequence: tf.Tensor, training: bool = False) -> tf.Tensor:
        """float32 [n, length, dim] to the same shape; a step sees nothing that comes later."""
        count = tf.range(1, tf.shape(sequence)[1] + 1, dtype=tf.float32)
        mean = tf.cumsum(sequence, axis=1) / count[None, :, None]
        return mean + self.dropout(self.out(self.bend(mean)), training=training)
