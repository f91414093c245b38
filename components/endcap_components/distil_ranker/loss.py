"""Losses of distillation: the student is to give the teacher's probabilities, and above all the teacher's order at the top."""

import tensorflow as tf


def soft_cross_entropy(logits: tf.Tensor, teacher_logits: tf.Tensor, temperature: float) -> tf.Tensor:
    """Cross-entropy against the teacher's softened probabilities (Hinton, Vinyals and Dean, 2015), summed over objectives.

    Args:
        logits, teacher_logits: float32 [m, objectives].
        temperature: both are divided by it; its square keeps the gradient's size.

    Returns:
        float32 [], mean over candidates.
    """
    target = tf.sigmoid(teacher_logits / temperature)
    each = tf.nn.sigmoid_cross_entropy_with_logits(target, logits / temperature)
    return temperature**2 * tf.reduce_mean(tf.reduce_sum(each, axis=1))


def soft_listwise(logits: tf.Tensor, teacher_logits: tf.Tensor, query_row: tf.Tensor, queries: tf.Tensor, temperature: float) -> tf.Tensor:
    """Cross-entropy between the teacher's and the student's softmax over a query's candidates.

    The teacher's best candidates have most of the weight, as in ranking distillation (Tang and Wang, KDD 2018).

    Args:
        logits, teacher_logits: float32 [m], of one objective.
        query_row: int32 [m], the query of each candidate.
        queries: int32 [], how many queries there are.
        temperature: both are divided by it; its square keeps the gradient's size.

    Returns:
        float32 [], mean over queries.
    """
    target = tf.exp(_log_softmax(teacher_logits / temperature, query_row, queries))
    each = -tf.math.unsorted_segment_sum(target * _log_softmax(logits / temperature, query_row, queries), query_row, queries)
    return temperature**2 * tf.reduce_mean(each)


def _log_softmax(logits: tf.Tensor, query_row: tf.Tensor, queries: tf.Tensor) -> tf.Tensor:
    highest = tf.stop_gradient(tf.math.unsorted_segment_max(logits, query_row, queries))
    shifted = logits - tf.gather(highest, query_row)
    total = tf.math.unsorted_segment_sum(tf.exp(shifted), query_row, queries)
    return shifted - tf.gather(tf.math.log(tf.maximum(total, 1e-30)), query_row)
