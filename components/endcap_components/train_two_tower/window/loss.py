"""Softmax losses over items with several targets a query: full, and sampled with log-Q correction."""

import tensorflow as tf

NEVER = -1e9
"""Logit of an item that must not count."""


def full_softmax_loss(logits: tf.Tensor, left_out: tf.Tensor, row: tf.Tensor, column: tf.Tensor, weight: tf.Tensor) -> tf.Tensor:
    """Mean negative log-likelihood of the targets under the softmax over all items but those left out.

    Args:
        logits: float32 [queries, items].
        left_out: int32 [pairs, 2], query and item that is no choice for the query.
        row: int32 [targets], the query a target belongs to.
        column: int32 [targets], the target's item.
        weight: float32 [targets].

    Returns:
        float32 [].
    """
    choices = tf.tensor_scatter_nd_update(logits, left_out, tf.fill(tf.shape(left_out)[:1], NEVER))
    log_normaliser = tf.reduce_logsumexp(choices, axis=1)
    target_logit = tf.gather_nd(logits, tf.stack([row, column], axis=1))
    return weighted_mean(tf.gather(log_normaliser, row) - target_logit, weight)


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
