"""The item tower: id and content embeddings, and what the shop's numbers say of the item at a moment."""

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.train_two_tower.content import ContentBlock, ItemContent
from endcap.training.normalisation import Standardisation


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
        id_dropout: float,
    ) -> None:
        """
        Args:
            dim: length of the embeddings.
            trained: int32 [p], indices of the items that have an id embedding.
            content: attributes of all items.
            numeric: of the columns ITEM_NUMERIC.
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
        self.ids = self.add_weight(name="ids", shape=(len(trained) + 1, dim), initializer=_normal(0.5 * dim**-0.5))
        self.content = self.add_weight(name="content", shape=(content.size, dim), initializer=_normal(0.5 * dim**-0.5))
        self.numeric_hidden = tf.keras.layers.Dense(dim, activation="relu", name="numeric_hidden")
        self.numeric_out = tf.keras.layers.Dense(dim, kernel_initializer="zeros", name="numeric_out")

    def identity(self, index: tf.Tensor, training: bool) -> tf.Tensor:
        """What does not change with time: float32 [items, dim] for int32 [items]; zeros for index 0."""
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
        present = tf.cast(codes > 0, tf.float32)
        total = tf.reduce_sum(tf.gather(self.content, codes) * present[:, :, None], axis=1)
        count = tf.maximum(tf.reduce_sum(present, axis=1, keepdims=True), 1.0)
        return tf.gather(total / tf.sqrt(count), place)

    def at_moment(self, identity: tf.Tensor, item_numeric: tf.Tensor) -> tf.Tensor:
        """Unit length embeddings, float32 [items, dim].

        Args:
            identity: float32 [items, dim].
            item_numeric: float32 [items, len(ITEM_NUMERIC)], raw, as of the moment.
        """
        moment = self.numeric_out(self.numeric_hidden(self._numeric.apply(item_numeric)))
        return tf.math.l2_normalize(identity + moment, axis=1)


def _normal(deviation: float) -> tf.keras.initializers.Initializer:
    return tf.keras.initializers.RandomNormal(stddev=deviation)
