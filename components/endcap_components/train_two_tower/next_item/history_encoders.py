"""The encoders that turn a history into a query at each step, and the one that the hyperparameters name."""

from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from endcap_components.train_two_tower.next_item.sequence_hyperparameters import ResolvedHyperparameters

FAST_START = 0.3
"""The fast part starts at the square of this: a tenth, so that the filter starts slow."""


class DecayedAttention(tf.keras.layers.Layer):
    """A stack of `MixingBlock` and feed-forward layers (after Shin et al., BSARec, AAAI 2024).

    BSARec splits by a Fourier transform of the whole sequence, in which a step sees later ones; here a decayed mean with learned decays is
    the slow part and what it leaves is the fast part, so that every position can be trained on.
    """

    def __init__(self, dim: int, *, layers: int, heads: int, length: int, decays: int, dropout: float, attention_dropout: float) -> None:
        super().__init__(name="decayed_attention")
        self.mixing = [
            MixingBlock(dim, heads=heads, length=length, decays=decays, dropout=dropout, attention_dropout=attention_dropout)
            for _ in range(layers)
        ]
        self.feeds = [FeedForward(dim, dropout) for _ in range(layers)]

    def call(self, sequence: tf.Tensor, training: bool = False) -> tf.Tensor:
        """float32 [n, length, dim] to the same shape; a step sees nothing that comes later."""
        for mixing, feed in zip(self.mixing, self.feeds, strict=True):
            sequence = feed(mixing(sequence, training=training), training=training)
        return sequence


class MixingBlock(tf.keras.layers.Layer):
    """Attention and the filtered sequence, each added to the input and normalised, then mixed by a learned share."""

    def __init__(self, dim: int, *, heads: int, length: int, decays: int, dropout: float, attention_dropout: float) -> None:
        super().__init__(name="mixing_block")
        self.attention = CausalAttention(dim, heads, length, attention_dropout)
        self.slow = DecayedMean(dim, decays)
        self.fast = self.add_weight(name="fast", shape=(dim,), initializer=tf.constant_initializer(FAST_START))
        self.share = self.add_weight(name="share", shape=(), initializer="zeros")
        self.norm_attended, self.norm_filtered = (
            tf.keras.layers.LayerNormalization(epsilon=1e-6, name=name) for name in ("norm_attended", "norm_filtered")
        )
        self.dropout = tf.keras.layers.Dropout(dropout)

    def call(self, sequence: tf.Tensor, training: bool = False) -> tf.Tensor:
        """float32 [n, length, dim] to the same shape."""
        slow = self.slow(sequence)
        filtered = slow + tf.square(self.fast) * (sequence - slow)
        attended = self.attention(sequence, training=training)
        share = tf.sigmoid(self.share)
        filtered = self.norm_filtered(sequence + self.dropout(filtered, training=training))
        attended = self.norm_attended(sequence + self.dropout(attended, training=training))
        return share * filtered + (1 - share) * attended


class SelfAttention(tf.keras.layers.Layer):
    """A stack of attention and feed-forward layers (Kang and McAuley, SASRec, ICDM 2018), each normalised."""

    def __init__(self, dim: int, *, layers: int, heads: int, length: int, dropout: float, attention_dropout: float) -> None:
        super().__init__(name="self_attention")
        self.attentions = [CausalAttention(dim, heads, length, attention_dropout) for _ in range(layers)]
        self.norms = [tf.keras.layers.LayerNormalization(epsilon=1e-6) for _ in range(layers)]
        self.feeds = [FeedForward(dim, dropout) for _ in range(layers)]
        self.dropout = tf.keras.layers.Dropout(dropout)

    def call(self, sequence: tf.Tensor, training: bool = False) -> tf.Tensor:
        """float32 [n, length, dim] to the same shape; a step sees nothing that comes later."""
        for attention, norm, feed in zip(self.attentions, self.norms, self.feeds, strict=True):
            attended = attention(sequence, training=training)
            sequence = feed(norm(sequence + self.dropout(attended, training=training)), training=training)
        return sequence


class CausalAttention(tf.keras.layers.Layer):
    """Attention of each step to itself and the steps before, in several heads.

    Where a step stands does not matter, how far back another one lies does: a learned bias by distance (Shaw et al., NAACL 2018; T5, JMLR
    2020).
    """

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


class Recurrent(tf.keras.layers.Layer):
    """One GRU (Hidasi et al., GRU4Rec, ICLR 2016), its output brought back to the width of the items."""

    def __init__(self, dim: int, dropout: float) -> None:
        super().__init__(name="recurrent")
        self.recurrent = tf.keras.layers.GRU(dim, return_sequences=True)
        self.out = tf.keras.layers.Dense(dim)
        self.dropout = tf.keras.layers.Dropout(dropout)

    def call(self, sequence: tf.Tensor, training: bool = False) -> tf.Tensor:
        """float32 [n, length, dim] to the same shape; a step sees nothing that comes later."""
        return self.out(self.dropout(self.recurrent(sequence), training=training))


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


def history_encoder(parameters: ResolvedHyperparameters, length: int) -> Any:
    """A Keras layer from float32 [n, steps, dim] to the same shape, in which a step sees nothing that comes later.

    Args:
        parameters: resolved.
        length: longest history.
    """
    dim, dropout = parameters.dim, parameters.dropout
    if parameters.history_encoder == "mean":
        return RunningMean(dim, dropout)
    if parameters.history_encoder == "gru":
        return Recurrent(dim, dropout)
    stack = SelfAttention if parameters.history_encoder == "self_attention" else partial(DecayedAttention, decays=parameters.decays)
    return stack(
        dim,
        layers=parameters.layers,
        heads=parameters.heads,
        length=length,
        dropout=dropout,
        attention_dropout=parameters.attention_dropout,
    )


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
        self.decay = self.add_weight(name="decay", shape=(groups,), initializer=tf.constant_initializer(_start_decays(groups)))

    def call(self, sequence: tf.Tensor) -> tf.Tensor:
        """float32 [n, length, dim] to the same shape; a step sees nothing that comes later."""
        shape = tf.shape(sequence)
        back = steps_back(shape[1])
        kept = tf.sigmoid(self.decay)[:, None, None] ** tf.cast(tf.maximum(back, 0), tf.float32)
        weight = tf.where(back >= 0, kept, 0.0)
        weight /= tf.reduce_sum(weight, axis=2, keepdims=True)
        grouped = tf.reshape(sequence, [shape[0], shape[1], self._groups, self._size])
        return tf.reshape(tf.einsum("gts,nsgd->ntgd", weight, grouped), shape)


def _start_decays(groups: int) -> NDArray[np.float32]:
    return np.linspace(FASTEST, SLOWEST, groups, dtype=np.float32)


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
