"""The next-item two-tower as a TensorFlow Recommenders model: item tower, query tower, and both with their loss."""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs
from numpy.typing import NDArray

from endcap_components.train_two_tower.next_item.history_encoders import history_encoder
from endcap_components.train_two_tower.next_item.next_item_loss import next_item_loss, softmax_precision
from endcap_components.train_two_tower.next_item.sequence_hyperparameters import ResolvedHyperparameters


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


START_DEVIATION = 0.02


class SequenceQueryTower(tf.keras.layers.Layer):
    """Items of the history with their place in it, and with what happened to them, through a causal encoder."""

    def __init__(self, parameters: ResolvedHyperparameters, length: int, shown: NDArray[np.bool_] | None = None) -> None:
        """
        Args:
            parameters: resolved.
            length: longest history.
            shown: bool [types + 1], by a signal's code, which types are read; None where types are not told apart.
        """
        super().__init__(name="query_tower")
        start = tf.keras.initializers.RandomNormal(stddev=START_DEVIATION)
        self.places = self.add_weight(name="places", shape=(length, parameters.dim), initializer=start)
        self.norm = tf.keras.layers.LayerNormalization(epsilon=1e-6)
        self.dropout = tf.keras.layers.Dropout(parameters.dropout)
        self.encoder = history_encoder(parameters, length)
        self.types = None
        if shown is not None:
            # From zeros, so that a type that training never met changes nothing.
            self.types = self.add_weight(name="types", shape=(len(shown), parameters.dim), initializer="zeros")
            self._shown = shown.astype(np.float32)[:, None]

    def call(self, history: tf.Tensor, signal: tf.Tensor | None = None, training: bool = False) -> tf.Tensor:
        """Unit length queries, one after each step.

        Args:
            history: float32 [n, steps, dim], item embeddings, oldest first from place 0; what stands after a history's end changes
                nothing before it.
            signal: int32 [n, steps], what happened to each; read where types are told apart.

        Returns:
            float32 [n, steps, dim].
        """
        if self.types is not None:
            history = (history + tf.gather(self.types, signal)) * tf.gather(self._shown, signal)
        placed = history + self.places[: tf.shape(history)[1]]
        encoded = self.encoder(self.dropout(self.norm(placed), training=training), training=training)
        return tf.math.l2_normalize(encoded, axis=2)


TEMPERATURE_MIN = 0.02


class SequenceTower(tfrs.Model):
    """Learns unit length embeddings whose inner product over a temperature is the logit of the next item."""

    def __init__(self, query_tower: SequenceQueryTower, item_tower: SequenceItemTower, parameters: ResolvedHyperparameters) -> None:
        super().__init__()
        self.query_tower = query_tower
        self.item_tower = item_tower
        self._precision = softmax_precision(parameters.softmax_precision)
        self._smoothing = parameters.label_smoothing
        self.log_temperature = self.add_weight(
            name="log_temperature", shape=(), initializer=tf.keras.initializers.Constant(float(np.log(parameters.temperature)))
        )

    def compute_loss(self, inputs: Mapping[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """The loss of one batch of `endcap_components.train_two_tower.next_item.sequence_batches`."""
        raw = self.item_tower(inputs["items"]) if "items" in inputs else self.item_tower.everything()
        signal = tf.cast(inputs["signal"], tf.int32) if "signal" in inputs else None
        query = self.query_tower(tf.gather(raw, inputs["history"]), signal, training=training)
        step = tf.where(inputs["target"] > 0)
        temperature = tf.maximum(tf.exp(self.log_temperature), TEMPERATURE_MIN)
        return next_item_loss(
            tf.gather_nd(query, step) / temperature,
            tf.math.l2_normalize(raw, axis=1),
            inputs["offset"],
            tf.gather_nd(inputs["target"], step),
            precision=self._precision,
            smoothing=self._smoothing,
            weight=tf.gather_nd(inputs["weight"], step) if "weight" in inputs else None,
        )

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None], tf.float32),
            tf.TensorSpec([None, None], tf.int32),
            tf.TensorSpec([None, None], tf.int32),
            tf.TensorSpec([None], tf.int32),
        ]
    )
    def last_query(self, raw: tf.Tensor, history: tf.Tensor, signal: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
        """The query after the whole of each history, float32 [n, dim].

        Args:
            raw: float32 [n + 1, dim], of all items, as the item tower gives them.
            history: int32 [n, steps], oldest first from place 0.
            signal: int32 [n, steps], what happened to each.
            length: int32 [n], from 1.
        """
        encoded = self.query_tower(tf.gather(raw, history), signal, training=False)
        return tf.gather(encoded, length - 1, batch_dims=1)
