"""Self-attention beside a split of the sequence into slow and fast parts, as BSARec has it (Shin et al., AAAI 2024).

BSARec splits by a Fourier transform of the whole sequence, in which a step sees later ones; here a decayed mean with learned decays is the
slow part and what it leaves is the fast part, so that every position can be trained on.
"""

import tensorflow as tf

from endcap_components.train_two_tower.next_item.history_encoders.causal_attention import CausalAttention
from endcap_components.train_two_tower.next_item.history_encoders.decayed_mean import DecayedMean
from endcap_components.train_two_tower.next_item.history_encoders.feed_forward import FeedForward

FAST_START = 0.3
"""The fast part starts at the square of this: a tenth, so that the filter starts slow."""


class DecayedAttention(tf.keras.layers.Layer):
    """A stack of `MixingBlock` and feed-forward layers."""

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
