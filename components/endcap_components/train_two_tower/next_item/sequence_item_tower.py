"""The item tower of the next-item objective: an item is the sum of its id embedding and those of its attributes."""

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

START_DEVIATION = 0.02


class SequenceItemTower(tf.keras.layers.Layer):
    """Embeds items; those without training purchases have no id embedding and live on their attributes."""

    def __init__(self, dim: int, trained: NDArray[np.bool_], attributes: NDArray[np.int32]) -> None:
        """
        Args:
            dim: length of the embeddings.
            trained: bool [n + 1], items that have an id embedding.
            attributes: int32 [n + 1, a], codes from 1, 0 for none; a may be 0.
        """
        super().__init__(name="item_tower")
        self.item_count = len(trained) - 1
        self._has_id = trained.astype(np.float32)[:, None]
        self._codes = attributes
        self.ids = self._table("ids", len(trained), dim)
        if attributes.shape[1]:
            self.attributes = self._table("attributes", int(attributes.max()) + 1, dim)

    def _table(self, name: str, rows: int, dim: int) -> tf.Variable:
        start = tf.keras.initializers.RandomNormal(stddev=START_DEVIATION)
        return self.add_weight(name=name, shape=(rows, dim), initializer=start)

    def call(self, index: tf.Tensor) -> tf.Tensor:
        """float32 [items, dim], of any length, for int32 [items]; zeros for index 0."""
        own = tf.gather(self.ids, index) * tf.gather(self._has_id, index)
        if not self._codes.shape[1]:
            return own
        return own + self._described(tf.gather(self._codes, index))

    def everything(self) -> tf.Tensor:
        """float32 [n + 1, dim]: all items, without gathering them."""
        own = self.ids * self._has_id
        return own + self._described(self._codes) if self._codes.shape[1] else own

    def _described(self, codes: tf.Tensor) -> tf.Tensor:
        """Sum of the attributes' embeddings, as a product with a sparse matrix of who has which."""
        codes = tf.convert_to_tensor(codes)
        place = tf.where(codes > 0)
        column = tf.cast(tf.gather_nd(codes, place), tf.int64)
        members = tf.SparseTensor(
            tf.stack([place[:, 0], column], axis=1),
            tf.ones(tf.shape(column), dtype=tf.float32),
            tf.cast(tf.stack([tf.shape(codes)[0], tf.shape(self.attributes)[0]]), tf.int64),
        )
        return tf.sparse.sparse_dense_matmul(members, self.attributes)
