"""Losses of the ranker: cross-entropy for probabilities, listwise softmax for the order at the top."""

import tensorflow as tf


def listwise_softmax(logits: tf.Tensor, labels: tf.Tensor, weight: tf.Tensor, query_row: tf.Tensor, queries: tf.Tensor) -> tf.Tensor:
    """Mean over queries with a purchase of the softmax cross-entropy against their purchases (ListNet, Cao et al., ICML 2007).

    Args:
        logits: float32 [m].
        labels: float32 [m], 0 or 1.
        weight: float32 [m], how many candidates each stands for; 0 leaves one out.
        query_row: int32 [m], the query of each candidate.
        queries: int32 [], how many queries there are.

    Returns:
        float32 [].
    """
    labels = labels * tf.cast(weight > 0, tf.float32)
    highest = tf.stop_gradient(tf.math.unsorted_segment_max(logits, query_row, queries))
    shifted = logits - tf.gather(highest, query_row)
    log_normaliser = tf.math.log(tf.maximum(tf.math.unsorted_segment_sum(weight * tf.exp(shifted), query_row, queries), 1e-30))
    log_share = shifted - tf.gather(log_normaliser, query_row)
    bought = tf.math.unsorted_segment_sum(labels, query_row, queries)
    per_query = -tf.math.unsorted_segment_sum(labels * log_share, query_row, queries) / tf.maximum(bought, 1.0)
    return tf.reduce_sum(per_query) / tf.maximum(tf.reduce_sum(tf.cast(bought > 0, tf.float32)), 1.0)
