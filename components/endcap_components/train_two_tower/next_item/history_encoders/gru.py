"""A gated recurrent unit over the history (Hidasi et al., GRU4Rec, ICLR 2016)."""

import tensorflow as tf


class Recurrent(tf.keras.layers.Layer):
    """One GRU, its output brought back to the width of the items."""

    def __init__(self, dim: int, dropout: float) -> None:
        super().__init__(name="recurrent")
        self.recurrent = tf.keras.layers.GRU(dim, return_sequences=True)
        self.out = tf.keras.layers.Dense(dim)
        self.dropout = tf.keras.layers.Dropout(dropout)

    def call(self, sequence: tf.Tensor, training: bool = False) -> tf.Tensor:
        """float32 [n, length, dim] to the same shape; a step sees nothing that comes later."""
        return self.out(self.dropout(self.recurrent(sequence), training=training))
