"""Attention of each step to itself and the steps before, with a learned bias by distance (Shaw et al., NAACL 2018; T5, JMLR 2020)."""

import tensorflow as tf


class CausalAttention(tf.keras.layers.Layer):
    """Several heads; where a step stands does not matter, how far back another one lies does."""

    def __init__(self, dim: int, heads: int, length: int, dropout: float) -> None:
        """
        Args:
            dim: width of the steps, a multiple of `heads`.
            heads: how many things a step may look for.
            length: steps that a distance is told apart for; further back counts as that far.
            dropout: share of attention left out in training.
        """
        super().__init__(name="causal_attention")
        self._heads, self._size, self._length = heads, dim // heads, length
        self.query, self.key = (tf.keras.layers.Dense(dim, use_bias=False, name=name) for name in ("query", "key"))
        self.value, self.out = (tf.keras.layers.Dense(dim, name=name) for name in ("value", "out"))
        self.by_distance = self.add_weight(name="by_distance", shape=(heads, length), initializer="zeros")
        self.dropout = tf.keras.layers.Dropout(dropout)

    def call(self, sequence: tf.Tensor, training: bool = False) -> tf.Tensor:
        """float32 [n, length, dim] to the same shape."""
        back = steps_back(tf.shape(sequence)[1])
        query, key, value = (self._split(layer(sequence)) for layer in (self.query, self.key, self.value))
        score = tf.matmul(query, key, transpose_b=True) * self._size**-0.5
        score += tf.gather(self.by_distance, tf.clip_by_value(back, 0, self._length - 1), axis=1)
        weight = tf.nn.softmax(tf.where(back >= 0, score, -1e9))
        found = tf.transpose(tf.matmul(self.dropout(weight, training=training), value), [0, 2, 1, 3])
        return self.out(tf.reshape(found, tf.shape(sequence)))

    def _split(self, sequence: tf.Tensor) -> tf.Tensor:
        shape = tf.shape(sequence)
        return tf.transpose(tf.reshape(sequence, [shape[0], shape[1], self._heads, self._size]), [0, 2, 1, 3])


def steps_back(length: tf.Tensor) -> tf.Tensor:
    """int32 [length, length]: how many steps column lies before row; negative for later ones."""
    place = tf.range(length)
    return place[:, None] - place[None, :]
