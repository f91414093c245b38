"""The query tower: the history as a sequence, the user's numbers and the context, as one unit length embedding."""

from collections.abc import Mapping, Sequence

import tensorflow as tf

from endcap.features.columns import CONTEXT_SIZES, HISTORY_LENGTH
from endcap.training.normalisation import Standardisation
from endcap_components.train_two_tower.hyperparameters import TwoTowerHyperparameters

POOLING_DAYS = (3.0, 14.0, 60.0)
"""Time constants of the recency pools: this week, this fortnight, this season."""

CATEGORY_DIM = 8
CONTEXT_DIM = 4


class QueryTower(tf.keras.layers.Layer):
    """Embeds queries: recency pools of the history beside self-attention over it (Kang and McAuley, SASRec, ICDM 2018)."""

    def __init__(self, parameters: TwoTowerHyperparameters, user_numeric: Standardisation, category_sizes: Sequence[int]) -> None:
        super().__init__(name="query_tower")
        dim = parameters.dim - 1
        self._user_numeric = user_numeric
        self.pooling = AttentionPooling(parameters.pooling_heads, dim)
        self.blocks = [AttentionBlock(dim, parameters.attention_heads, parameters.dropout) for _ in range(parameters.attention_layers)]
        self.time = tf.keras.layers.Dense(dim, name="time")
        # Zeros: a category, an hour or a month that training never saw must not move the query.
        self.categories = [tf.keras.layers.Embedding(size, CATEGORY_DIM, embeddings_initializer="zeros") for size in category_sizes]
        self.context = [tf.keras.layers.Embedding(size, CONTEXT_DIM, embeddings_initializer="zeros") for size in CONTEXT_SIZES]
        self.dropout = tf.keras.layers.Dropout(parameters.dropout)
        self.hidden = tf.keras.layers.Dense(4 * dim, activation="relu", name="hidden")
        # Small: the query starts as the mean of what was bought of late, which the items' start makes a fair one.
        self.out = tf.keras.layers.Dense(dim, name="out", kernel_initializer=tf.keras.initializers.VarianceScaling(0.01))

    def call(self, history: tf.Tensor, present: tf.Tensor, inputs: Mapping[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """
        Args:
            history: float32 [n, HISTORY_LENGTH, dim - 1], identities of the items.
            present: bool [n, HISTORY_LENGTH], false where padded.
            inputs: those of `encode_query` beside the history: `history_age_days`, `user_numeric`, `user_categories`, `context`.

        Returns:
            float32 [n, dim], unit length, 0 in the last dimension.
        """
        age_days, user_categories, context = inputs["history_age_days"], inputs["user_categories"], inputs["context"]
        pools = recency_pools(history, age_days, present)
        sequence = self.dropout(history, training=training) + self.time(time_features(age_days))
        for block in self.blocks:
            sequence = block(sequence, present, training=training)
        parts = [*pools, self.pooling(sequence, present), self._user_numeric.apply(inputs["user_numeric"])]
        parts += [table(user_categories[:, column]) for column, table in enumerate(self.categories)]
        parts += [table(context[:, column]) for column, table in enumerate(self.context)]
        mixed = self.out(self.dropout(self.hidden(tf.concat(parts, axis=1)), training=training))
        direction = tf.math.l2_normalize(mixed + pools[-1], axis=1)
        return tf.pad(direction, [[0, 0], [0, 1]])


class AttentionPooling(tf.keras.layers.Layer):
    """Each head looks for its own kind of item in the history and averages what it finds (Lin et al., ICLR 2017)."""

    def __init__(self, heads: int, dim: int) -> None:
        super().__init__()
        self.hidden = tf.keras.layers.Dense(dim, activation="tanh")
        self.score = tf.keras.layers.Dense(heads)
        self._width = heads * dim

    def call(self, sequence: tf.Tensor, present: tf.Tensor) -> tf.Tensor:
        """float32 [n, length, dim] and bool [n, length] to float32 [n, heads x dim]; zeros for an empty history."""
        some = tf.cast(present, tf.float32)[:, :, None]
        weight = tf.nn.softmax(self.score(self.hidden(sequence)) - 1e9 * (1.0 - some), axis=1) * some
        return tf.reshape(tf.einsum("nlh,nld->nhd", weight, sequence), [-1, self._width])


class AttentionBlock(tf.keras.layers.Layer):
    """Self-attention and a feed-forward layer, each normalised before and added to its input."""

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.attention = tf.keras.layers.MultiHeadAttention(heads, dim // heads, dropout=dropout)
        self.before_attention = tf.keras.layers.LayerNormalization(epsilon=1e-6)
        self.before_feed = tf.keras.layers.LayerNormalization(epsilon=1e-6)
        self.feed = tf.keras.layers.Dense(dim, activation="relu")
        self.feed_out = tf.keras.layers.Dense(dim)
        self.dropout = tf.keras.layers.Dropout(dropout)

    def call(self, sequence: tf.Tensor, present: tf.Tensor, training: bool = False) -> tf.Tensor:
        """float32 [n, length, dim] to the same shape; positions where `present` (bool [n, length]) is false are not attended to."""
        normal = self.before_attention(sequence)
        attended = self.attention(normal, normal, attention_mask=present[:, None, :], training=training)
        sequence = sequence + self.dropout(attended, training=training)
        fed = self.feed_out(self.feed(self.before_feed(sequence)))
        return sequence + self.dropout(fed, training=training)


def recency_pools(history: tf.Tensor, age_days: tf.Tensor, present: tf.Tensor) -> list[tf.Tensor]:
    """Means of the history weighted by exp(-age / days), float32 [n, dim] for each of POOLING_DAYS; zeros for an empty history."""
    pools = []
    for days in POOLING_DAYS:
        # Ages count from the newest item, so that a long absence changes the mix of items no more than a short one.
        newest = tf.reduce_min(tf.where(present, age_days, 1e6), axis=1, keepdims=True)
        # Of padding the age is 0, far below the newest item's: its power would be infinite before it is masked.
        weight = tf.where(present, tf.exp(-tf.where(present, age_days - newest, 0.0) / days), 0.0)
        total = tf.maximum(tf.reduce_sum(weight, axis=1, keepdims=True), 1e-6)
        pools.append(tf.einsum("nl,nld->nd", weight / total, history))
    return pools


def time_features(age_days: tf.Tensor) -> tf.Tensor:
    """float32 [n, HISTORY_LENGTH, 2 + len(POOLING_DAYS)]: the log of the age, its decays and the place in the history."""
    place = tf.broadcast_to(tf.linspace(0.0, 1.0, HISTORY_LENGTH)[None, :], tf.shape(age_days))
    decays = [tf.exp(-age_days / days) for days in POOLING_DAYS]
    return tf.stack([tf.math.log1p(tf.maximum(age_days, 0.0)) / 5.0, place, *decays], axis=2)
