"""The item tower: the direction of an embedding says what the item is, its length how well it sells at the moment.

Embeddings must have unit length for the index. A vector of length up to one keeps it free in one dimension less: the last dimension is
what is missing to one, and queries have a zero there (Bachrach et al., RecSys 2014).
"""

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from endcap.features.columns import ITEM_NUMERIC
from endcap.training.normalisation import Standardisation
from endcap_components.train_two_tower.content import ContentBlock, ItemContent
from endcap_components.train_two_tower.warm_start import split_by_content


class ItemTower(tf.keras.layers.Layer):
    """Embeds items.

    An item's identity is the sum of its id embedding and those of its content attributes; items without training purchases have no id
    embedding and live on content. In training a share of the ids is left out at random, so that content learns to stand alone.
    """

    def __init__(
        self,
        dim: int,
        trained: NDArray[np.int32],
        content: ItemContent,
        numeric: Standardisation,
        *,
        start: NDArray[np.float32],
        id_dropout: float,
    ) -> None:
        """
        Args:
            dim: length of the embeddings.
            trained: int32 [p], indices of the items that have an id embedding.
            content: attributes of all items.
            numeric: of the columns ITEM_NUMERIC.
            start: float32 [p, dim - 1], where the trained items' identities start.
            id_dropout: share of ids left out in training.
        """
        super().__init__(name="item_tower")
        self.item_count = len(content.blocks[0].row) - 1
        self._blocks = content.blocks
        self._numeric = numeric
        self._id_dropout = id_dropout
        id_row = np.zeros(self.item_count + 1, dtype=np.int32)
        id_row[trained] = np.arange(1, len(trained) + 1)
        self._id_row = id_row
        attributes, own = split_by_content(start, trained, content)
        own = np.concatenate([np.zeros((1, dim - 1), dtype=np.float32), own])
        self.ids = self.add_weight(name="ids", shape=own.shape, initializer=tf.constant_initializer(own))
        self.content = self.add_weight(name="content", shape=attributes.shape, initializer=tf.constant_initializer(attributes))
        self.turn_hidden = tf.keras.layers.Dense(dim, activation="relu", name="turn_hidden")
        self.turn = tf.keras.layers.Dense(dim - 1, kernel_initializer="zeros", name="turn")
        self.length_hidden = tf.keras.layers.Dense(dim, activation="relu", name="length_hidden")
        self.length_bend = tf.keras.layers.Dense(1, kernel_initializer="zeros", name="length_bend")
        self.length = tf.keras.layers.Dense(
            1,
            kernel_initializer=tf.constant_initializer(_popularity_first()[numeric.columns]),
            bias_initializer=tf.constant_initializer(-1.0),
            name="length",
        )

    def identity(self, index: tf.Tensor, training: bool) -> tf.Tensor:
        """What does not change with time: float32 [items, dim - 1] for int32 [items]; zeros for index 0."""
        id_row = tf.gather(self._id_row, index)
        keep = tf.cast(id_row > 0, tf.float32)
        if training and self._id_dropout > 0:
            keep *= tf.cast(tf.random.uniform(tf.shape(keep)) >= self._id_dropout, tf.float32)
        described = tf.add_n([self._described(block, index) for block in self._blocks])
        return tf.gather(self.ids, id_row) * keep[:, None] + described

    def _described(self, block: ContentBlock, index: tf.Tensor) -> tf.Tensor:
        """Sum of a block's attribute embeddings, computed once for each distinct row: float32 [items, dim]."""
        distinct, place = tf.unique(tf.gather(block.row, index))
        codes = tf.gather(block.codes, distinct)
        present = codes > 0
        found = tf.where(present)
        rows = tf.shape(codes)[0]
        # One more segment, which is dropped: of no code at all TensorFlow's gradient is whatever lay in memory.
        code = tf.concat([tf.gather_nd(codes, found), [0]], axis=0)
        segment = tf.concat([found[:, 0], [tf.cast(rows, tf.int64)]], axis=0)
        total = tf.sparse.segment_sum(self.content, code, segment, num_segments=rows + 1)[:-1]
        count = tf.maximum(tf.reduce_sum(tf.cast(present, tf.float32), axis=1, keepdims=True), 1.0)
        return tf.gather(total / tf.sqrt(count), place)

    def at_moment(self, identity: tf.Tensor, item_numeric: tf.Tensor) -> tf.Tensor:
        """Unit length embeddings, float32 [items, dim].

        Args:
            identity: float32 [items, dim - 1].
            item_numeric: float32 [items, len(ITEM_NUMERIC)], raw, as of the moment.
        """
        numeric = self._numeric.apply(item_numeric)
        direction = tf.math.l2_normalize(identity + self.turn(self.turn_hidden(numeric)), axis=1)
        length = tf.sigmoid(self.length(numeric) + self.length_bend(self.length_hidden(numeric)))
        return tf.concat([length * direction, tf.sqrt(tf.maximum(1.0 - tf.square(length), 1e-6))], axis=1)


def _popularity_first() -> NDArray[np.float32]:
    """Lengths start as a curve of the buyers of late, which most of demand follows."""
    weights = np.zeros((len(ITEM_NUMERIC), 1), dtype=np.float32)
    weights[ITEM_NUMERIC.index("buyers_28d")] = 1.0
    return weights
