"""The two-tower as a TensorFlow Recommenders model, and its softmax losses over items with several targets a query."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs
from numpy.typing import NDArray

from endcap_components.train_two_tower.window.item_tower import ItemTower
from endcap_components.train_two_tower.window.query_tower import QueryTower

NEVER = -1e9
"""Logit of an item that must not count."""


def full_softmax_loss(  # noqa: PLR0917 - one batch
    query: tf.Tensor, items: tf.Tensor, left_out: tf.Tensor, row: tf.Tensor, column: tf.Tensor, weight: tf.Tensor
) -> tf.Tensor:
    """Mean negative log-likelihood of the targets under the softmax over all items but those left out.

    Args:
        query: float32 [queries, dim]; inner products with the items are the logits, between -80 and 80.
        items: float32 [items, dim].
        left_out: int32 [pairs, 2], query and item that is no choice for the query.
        row: int32 [targets], the query a target belongs to.
        column: int32 [targets], the target's item.
        weight: float32 [targets].

    Returns:
        float32 [].
    """
    log_normaliser = _log_normaliser(query, items, left_out)
    target_logit = tf.reduce_sum(tf.gather(query, row) * tf.gather(items, column), axis=1)
    return weighted_mean(tf.gather(log_normaliser, row) - target_logit, weight)


@tf.custom_gradient
def _log_normaliser(query: tf.Tensor, items: tf.Tensor, left_out: tf.Tensor) -> tuple[tf.Tensor, Any]:
    """float32 [queries].

    The one array of queries x items is the exponentials, from which the gradient is two products: TensorFlow's own passes over such
    arrays cost as much again as the products. Logits of unit vectors over TEMPERATURE_MIN need no shift to stay within float32.
    """
    exponential = tf.exp(tf.matmul(query, items, transpose_b=True))
    exponential = tf.tensor_scatter_nd_update(exponential, left_out, tf.zeros(tf.shape(left_out)[:1]))
    total = tf.reduce_sum(exponential, axis=1)

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, None]:
        share = (upstream / total)[:, None]
        return share * tf.matmul(exponential, items), tf.matmul(exponential, share * query, transpose_a=True), None

    return tf.math.log(total), gradient


def sampled_softmax_loss(
    *,
    sampled_logits: tf.Tensor,
    sampled_log_q: tf.Tensor,
    left_out: tf.Tensor,
    target_logit: tf.Tensor,
    target_log_q: tf.Tensor,
    row: tf.Tensor,
    weight: tf.Tensor,
) -> tf.Tensor:
    """Mean negative log-likelihood of the targets against sampled items.

    Each logit is lowered by the log of how often its item is expected among the samples, so that frequent items are not pushed down for
    being frequent (Bengio and Senecal, IEEE Trans. Neural Networks 2008; Yi et al., RecSys 2019). Samples that are targets of the same
    query (accidental hits) are left out.

    Args:
        sampled_logits: float32 [queries, samples].
        sampled_log_q: float32 [samples], log of the expected count.
        left_out: int32 [pairs, 2], query and sample that is no negative of the query: its targets (accidental hits), what it knows.
        target_logit: float32 [targets].
        target_log_q: float32 [targets].
        row: int32 [targets], the query a target belongs to.
        weight: float32 [targets].

    Returns:
        float32 [].
    """
    corrected = sampled_logits - sampled_log_q[None, :]
    corrected = tf.tensor_scatter_nd_update(corrected, left_out, tf.fill(tf.shape(left_out)[:1], NEVER))
    log_negatives = tf.gather(tf.reduce_logsumexp(corrected, axis=1), row)
    positive = target_logit - target_log_q
    log_normaliser = positive + tf.nn.softplus(log_negatives - positive)
    return weighted_mean(log_normaliser - positive, weight)


def weighted_mean(value: tf.Tensor, weight: tf.Tensor) -> tf.Tensor:
    """A replica's part of the mean over the targets of all replicas, float32 []; the parts sum up to the mean.

    The sum of the weights is shared, not the mean of each replica: a target weighs the same wherever it is computed. Optimisers sum the
    gradients of replicas, and a Keras fit sums what they report.

    Args:
        value: float32 [targets], of this replica.
        weight: float32 [targets].
    """
    total = tf.reduce_sum(weight)
    replica = tf.distribute.get_replica_context()
    if replica is not None and replica.num_replicas_in_sync > 1:
        total = replica.all_reduce(tf.distribute.ReduceOp.SUM, total)
    return tf.reduce_sum(value * weight) / tf.maximum(total, 1e-6)


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
        return full_softmax_loss(query / self._temperature(), items, _left_out(inputs), inputs["row"], inputs["target"], inputs["weight"])

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
