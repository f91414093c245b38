"""Blocks of self-attention over the history (Kang and McAuley, SASRec, ICDM 2018), each normalised after its sum."""

import tensorflow as tf

from endcap_components.train_two_tower.next_item.history_encoders.causal_attention import CausalAttention
from endcap_components.train_two_tower.next_item.history_encoders.feed_forward import FeedForward


class SelfAttention(tf.keras.layers.Layer):
    """A stack of attention and feed-forward layers."""

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
