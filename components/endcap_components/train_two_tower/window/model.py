"""The two-tower as a TensorFlow Recommenders model."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs
from numpy.typing import NDArray

from endcap_components.train_two_tower.window.item_tower import ItemTower
from endcap_components.train_two_tower.window.loss import full_softmax_loss, sampled_softmax_loss
from endcap_components.train_two_tower.window.query_tower import QueryTower

TEMPERATURE_MIN = 0.02


class TwoTower(tfrs.Model):
    """Learns unit length embeddings whose inner product over a temperature is the logit of a purchase."""

    def __init__(self, query_tower: QueryTower, item_tower: ItemTower, trained: NDArray[np.int32], temperature: float) -> None:
        """
        Args:
            query_tower: embeds queries.
            item_tower: embeds items.
            trained: int32 [p], the items of the softmax; targets and samples are places in it.
            temperature: start value.
        """
        super().__init__()
        self.query_tower = query_tower
        self.item_tower = item_tower
        self._trained = trained
        place = np.zeros(item_tower.item_count + 1, dtype=np.int32)
        place[trained] = np.arange(1, len(trained) + 1)
        self._place = place
        self.log_temperature = self.add_weight(
            name="log_temperature", shape=(), initializer=tf.keras.initializers.Constant(float(np.log(temperature)))
        )

    def compute_loss(self, inputs: Mapping[str, Any], training: bool = False) -> tf.Tensor:
        """The loss of one batch of the module `batches`; a batch with `sampled` asks for the sampled softmax."""
        if "sampled" in inputs:
            return self._sampled_loss(inputs, training)
        identity = self.item_tower.identity(self._trained, training)
        query = self._query(inputs, self._looked_up(identity, inputs["history"]), training)
        items = self.item_tower.at_moment(identity, inputs["item_numeric"])
        logits = tf.matmul(query / self._temperature(), items, transpose_b=True)
        return full_softmax_loss(logits, _left_out(inputs), inputs["row"], inputs["target"], inputs["weight"])

    def _sampled_loss(self, inputs: Mapping[str, Any], training: bool) -> tf.Tensor:
        history = inputs["history"]
        known = tf.where(tf.gather(self._place, history) > 0, history, 0)
        flat = self.item_tower.identity(tf.reshape(known, [-1]), training)
        query = self._query(inputs, tf.reshape(flat, [tf.shape(history)[0], tf.shape(history)[1], flat.shape[1]]), training)
        samples, targets = (
            self.item_tower.at_moment(self.item_tower.identity(tf.gather(self._trained, inputs[name]), training), inputs[f"{name}_numeric"])
            for name in ("sampled", "target")
        )
        temperature = self._temperature()
        logits = tf.matmul(query, samples, transpose_b=True) / temperature
        target_logit = tf.reduce_sum(tf.gather(query, inputs["row"]) * targets, axis=1) / temperature
        return sampled_softmax_loss(
            sampled_logits=logits,
            sampled_log_q=inputs["sampled_log_q"],
            left_out=_left_out(inputs),
            target_logit=target_logit,
            target_log_q=inputs["target_log_q"],
            row=inputs["row"],
            weight=inputs["weight"],
        )

    def _looked_up(self, identity: tf.Tensor, history: tf.Tensor) -> tf.Tensor:
        """Identities of the history out of those of all trained items; zeros for items outside."""
        padded = tf.concat([tf.zeros_like(identity[:1]), identity], axis=0)
        return tf.gather(padded, tf.gather(self._place, history))

    def _query(self, inputs: Mapping[str, Any], history: tf.Tensor, training: bool) -> tf.Tensor:
        present = tf.gather(self._place, inputs["history"]) > 0
        return self.query_tower(history, present, inputs, training=training)

    def _temperature(self) -> tf.Tensor:
        return tf.maximum(tf.exp(self.log_temperature), TEMPERATURE_MIN)


def _left_out(inputs: Mapping[str, Any]) -> tf.Tensor:
    return tf.stack([inputs["left_out_row"], inputs["left_out"]], axis=1)
