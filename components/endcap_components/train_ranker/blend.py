"""A learned blend: what the sources say of a candidate as one sum, with weights from a conditional logit (McFadden, 1974).

Where people seldom buy the same again, some thousand steps say how much the two-tower and the neighbours are worth beside each other, and
hardly more: a network over all features learns by heart what it sees of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from endcap.features.columns import ITEM_NUMERIC, PAIR_NUMERIC
from endcap_components.train_ranker.examples import RankingExamples

NEAR, POPULAR, EASE = "near", "popular", "ease_with"
SUMMED = ("bought_with", "bought_with_of_late")
"""Sums of neighbours' weights, of which the square root is taken, as EASE's sum is one already: their tails are long."""
TERMS = (NEAR, *SUMMED, EASE, POPULAR)
SHRINKAGE = 1e-4


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


@dataclass(frozen=True)
class _Choices:
    """Candidates of the queries in which something was bought.

    Attributes:
        terms: float64 [m, len(TERMS)].
        offset: float64 [m], log of how many candidates each stands for.
        start: int64 [q + 1].
        share: float64 [m], of a query's purchases; sums to 1 in each.
    """

    terms: NDArray[np.float64]
    offset: NDArray[np.float64]
    start: NDArray[np.int64]
    share: NDArray[np.float64]


def fit_blend(examples: RankingExamples) -> Blend:
    """Weights under which what was bought is likeliest among the candidates that were there; all of them 0 or more.

    Items that are new to their user count alone where nothing else was bought, so the blend fits data in which that is the rule.
    """
    from scipy.optimize import minimize

    choices = _choices(examples)
    count = len(TERMS)
    if not len(choices.share):
        return Blend(np.ones(count, dtype=np.float32), len(examples.objectives))
    scale = np.maximum(choices.terms.std(axis=0), 1e-9)
    scaled, query = choices.terms / scale, np.repeat(np.arange(len(choices.start) - 1), np.diff(choices.start))
    bought = choices.share @ scaled

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        utility = scaled @ weights + choices.offset
        highest = np.maximum.reduceat(utility, choices.start[:-1])
        likely = np.exp(utility - highest[query])
        total = np.add.reduceat(likely, choices.start[:-1])
        likely /= total[query]
        queries = len(total)
        value = ((highest + np.log(total)).sum() - bought @ weights - choices.share @ choices.offset) / queries
        gradient = (likely @ scaled - bought) / queries
        return float(value + SHRINKAGE * weights @ weights), gradient + 2 * SHRINKAGE * weights

    found = minimize(loss, np.ones(count), jac=True, method="L-BFGS-B", bounds=[(0.0, None)] * count)
    return Blend(np.asarray(found.x / scale, dtype=np.float32), len(examples.objectives))


def _choices(examples: RankingExamples) -> _Choices:
    label, start = examples.labels[:, 0], examples.start
    bought = np.bincount(np.repeat(np.arange(len(examples)), np.diff(start)), label, len(examples))
    queries = np.flatnonzero((bought > 0) & ~examples.held_out)
    terms: list[NDArray[np.float64]] = []
    for batch in examples.batches(queries, 256):
        terms.append(terms_of({name: tf.constant(values) for name, values in batch.items()}).numpy().astype(np.float64))
    lengths = np.diff(start)[queries]
    rows = np.concatenate([np.arange(start[query], start[query + 1]) for query in queries]) if len(queries) else np.zeros(0, np.int64)
    return _Choices(
        terms=np.concatenate(terms) if terms else np.zeros((0, len(TERMS))),
        offset=np.log(examples.weight[rows].astype(np.float64)),
        start=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        share=label[rows].astype(np.float64) / np.repeat(bought[queries], lengths),
    )
