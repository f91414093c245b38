"""A learned blend: what the sources say of a candidate as one sum, with weights from a conditional logit.

Where people seldom buy the same again, some thousand steps say how much the two-tower and the neighbours are worth beside each other, and
hardly more: a network over all features learns by heart what it sees of them.
"""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from endcap.features.columns import ITEM_NUMERIC, PAIR_NUMERIC
from endcap.training.conditional_logit import Choices, fit_weights
from endcap_components.train_ranker.examples import RankingExamples

NEAR, POPULAR, EASE = "near", "popular", "ease_with"
SUMMED = ("bought_with", "bought_with_of_late")
"""Sums of neighbours' weights, of which the square root is taken, as EASE's sum is one already: their tails are long."""
TERMS = (NEAR, *SUMMED, EASE, POPULAR)
QUERIES_A_CALL = 256


def terms_of(inputs: Mapping[str, tf.Tensor]) -> tf.Tensor:
    """What is added up, float32 [m, len(TERMS)], from the inputs of a ranker."""
    near = tf.reduce_sum(tf.gather(inputs["query_embedding"], inputs["query_row"]) * inputs["item_embedding"], axis=1)
    pair, item = inputs["pair_numeric"], inputs["item_numeric"]
    summed = [tf.sqrt(tf.maximum(pair[:, PAIR_NUMERIC.index(name)], 0.0)) for name in SUMMED]
    popular = tf.math.log1p(tf.maximum(item[:, ITEM_NUMERIC.index("purchases_90d")], 0.0))
    return tf.stack([near, *summed, pair[:, PAIR_NUMERIC.index(EASE)], popular], axis=1)


class Blend(tf.Module):
    """A weighted sum of the terms as the logit of every objective."""

    def __init__(self, weights: NDArray[np.float32], objectives: int) -> None:
        """
        Args:
            weights: float32 [len(TERMS)].
            objectives: how many; calibration tells them apart.
        """
        super().__init__()
        self.weights = tf.Variable(weights, trainable=False, name="blend_weights")
        self._objectives = objectives

    def logits(self, inputs: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """float32 [m, objectives], all columns alike."""
        utility = tf.linalg.matvec(terms_of(inputs), self.weights)
        return tf.tile(utility[:, None], [1, self._objectives])

    def described(self) -> dict[str, float]:
        """Weights by term."""
        return dict(zip(TERMS, self.weights.numpy().tolist(), strict=True))


def fit_blend(examples: RankingExamples) -> Blend:
    """Weights under which what was bought is likeliest among the candidates that were there; all of them 0 or more."""
    return Blend(fit_weights(_choices(examples)), len(examples.objectives))


def _choices(examples: RankingExamples) -> Choices:
    """The queries that may be fitted on and in which something was bought."""
    lengths = np.diff(examples.start)
    bought = np.bincount(np.repeat(np.arange(len(examples)), lengths), examples.labels[:, 0], len(examples))
    queries = np.flatnonzero((bought > 0) & ~examples.held_out)
    rows = examples.rows_of(queries)
    terms = [np.zeros((0, len(TERMS)))]
    for batch in examples.batches(queries, QUERIES_A_CALL):
        terms.append(terms_of({name: tf.constant(values) for name, values in batch.items()}).numpy())
    return Choices(
        terms=np.concatenate(terms),
        start=np.concatenate([[0], np.cumsum(lengths[queries])]).astype(np.int64),
        share=examples.labels[rows, 0] / np.repeat(bought[queries], lengths[queries]),
        offset=np.log(examples.weight[rows].astype(np.float64)),
    )
