"""The next-item two-tower as a TensorFlow Recommenders model."""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs

from endcap_components.train_two_tower.next_item.next_item_loss import next_item_loss
from endcap_components.train_two_tower.next_item.sequence_hyperparameters import SequenceHyperparameters
from endcap_components.train_two_tower.next_item.sequence_item_tower import SequenceItemTower
from endcap_components.train_two_tower.next_item.sequence_query_tower import SequenceQueryTower
from endcap_components.train_two_tower.next_item.softmax_precision import softmax_precision

TEMPERATURE_MIN = 0.02


class SequenceTower(tfrs.Model):
    """Learns unit length embeddings whose inner product over a temperature is the logit of the next item."""

    def __init__(self, query_tower: SequenceQueryTower, item_tower: SequenceItemTower, parameters: SequenceHyperparameters) -> None:
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
        query = self.query_tower(tf.gather(raw, inputs["history"]), training=training)
        step = tf.where(inputs["target"] > 0)
        temperature = tf.maximum(tf.exp(self.log_temperature), TEMPERATURE_MIN)
        return next_item_loss(
            tf.gather_nd(query, step) / temperature,
            tf.math.l2_normalize(raw, axis=1),
            inputs["offset"],
            tf.gather_nd(inputs["target"], step),
            precision=self._precision,
            smoothing=self._smoothing,
        )

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None], tf.float32),
            tf.TensorSpec([None, None], tf.int32),
            tf.TensorSpec([None], tf.int32),
        ]
    )
    def last_query(self, raw: tf.Tensor, history: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
        """The query after the whole of each history, float32 [n, dim].

        Args:
            raw: float32 [n + 1, dim], of all items, as the item tower gives them.
            history: int32 [n, steps], oldest first from place 0.
            length: int32 [n], from 1.
        """
        encoded = self.query_tower(tf.gather(raw, history), training=False)
        return tf.gather(encoded, length - 1, batch_dims=1)
