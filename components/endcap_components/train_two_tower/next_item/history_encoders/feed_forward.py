"""The feed-forward half of a block: each step on its own, added to what came in and normalised."""

import tensorflow as tf


class FeedForward(tf.keras.layers.Layer):
    """Two dense layers around a bend."""

    def __init__(self, dim: int, dropout: float) -> None:
        super().__init__(name="feed_forward")
        self.hidden = tf.keras.layers.Dense(dim, activation="gelu")
        self.out = tf.keras.layers.Dense(dim)
        self.norm = tf.keras.layers.LayerNormalization(epsilon=1e-6)
        self.dropout = tf.keras.layers.Dropout(dropout)

    def call(self, sequence: tf.Tensor, training: bool = False) -> tf.Tensor:
        """float32 [n, length, dim] to the same shape."""
        return self.norm(sequence + self.dropout(self.out(self.hidden(sequence)), training=training))
