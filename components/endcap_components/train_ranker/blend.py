"""A learned blend: what the sources say of a candidate as one sum, with weights from a conditional logit.

Where people seldom buy the same again, some thousand steps say how much the two-tower and the neighbours are worth beside each other, and
hardly more: a network over all features learns by heart what it sees of them.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from endcap.features.columns import ITEM_NUMERIC, PAIR_NUMERIC
from endcap.training.conditional_logit import Choices, fit_weights
from endcap_components.train_ranker.examples import RankingExamples

NEAR, POPULAR, EASE = "near", "popular", "ease_with"
RELATED, NOTICED, SEEN, JUST_SEEN = "item_to_item_score", "noticed", "in_session", "just_seen"
SUMMED = ("bought_with", "bought_with_of_late", RELATED)
"""Sums of neighbours' weights, of which the square root is taken, as EASE's sum is one already: their tails are long."""
TERMS = (NEAR, "bought_with", "bought_with_of_late", EASE, POPULAR)
"""Of what people buy next."""
VISIT_TERMS = (NEAR, RELATED, EASE, NOTICED, SEEN, JUST_SEEN, "left_in_cart_score", "decayed_60d")
"""Of what comes next in a visit: people come back to what they looked at minutes ago, to their carts, and to what they buy."""
JUST_DAYS = 5 / (24 * 60)
"""After so long an item of the visit is half as `just_seen`."""
QUERIES_A_CALL = 256


def _near(inputs: Mapping[str, tf.Tensor]) -> tf.Tensor:
    return tf.reduce_sum(tf.gather(inputs["query_embedding"], inputs["query_row"]) * inputs["item_embedding"], axis=1)


def _pair(inputs: Mapping[str, tf.Tensor], name: str) -> tf.Tensor:
    return tf.maximum(inputs["pair_numeric"][:, PAIR_NUMERIC.index(name)], 0.0)


def _counted(inputs: Mapping[str, tf.Tensor], names: Sequence[str]) -> tf.Tensor:
    """Logarithm of the sum of an item's counts."""
    return tf.math.log1p(tf.add_n([tf.maximum(inputs["item_numeric"][:, ITEM_NUMERIC.index(name)], 0.0) for name in names]))


def _just_seen(inputs: Mapping[str, tf.Tensor]) -> tf.Tensor:
    return _pair(inputs, SEEN) / (1.0 + _pair(inputs, "days_since_viewed") / JUST_DAYS)


_SAID: Mapping[str, Callable[[Mapping[str, tf.Tensor]], tf.Tensor]] = {
    NEAR: _near,
    POPULAR: partial(_counted, names=("purchases_90d",)),
    NOTICED: partial(_counted, names=("purchases_28d", "carts_28d", "views_28d")),
    JUST_SEEN: _just_seen,
}
"""By term that is no column of a pair."""


def terms_of(inputs: Mapping[str, tf.Tensor], names: Sequence[str] = TERMS) -> tf.Tensor:
    """What is added up, float32 [m, len(names)], from the inputs of a ranker."""

    def said(name: str) -> tf.Tensor:
        if name in _SAID:
            return _SAID[name](inputs)
        return tf.sqrt(_pair(inputs, name)) if name in SUMMED else _pair(inputs, name)

    return tf.stack([said(name) for name in names], axis=1)


class Blend(tf.Module):
    """A weighted sum of the terms as the logit of every objective."""

    def __init__(self, weights: NDArray[np.float32], objectives: int, terms: Sequence[str] = TERMS) -> None:
        """
        Args:
            weights: float32 [terms].
            objectives: how many; calibration tells them apart.
            terms: what is added up, by name.
        """
        super().__init__()
        self._terms = tuple(terms)
        self.weights = tf.Variable(weights, trainable=False, name="blend_weights")
        self._objectives = objectives

    def logits(self, inputs: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """float32 [m, objectives], all columns alike."""
        utility = tf.linalg.matvec(terms_of(inputs, self._terms), self.weights)
        return tf.tile(utility[:, None], [1, self._objectives])

    def described(self) -> dict[str, float]:
        """Weights by term."""
        return dict(zip(self._terms, self.weights.numpy().tolist(), strict=True))


def fit_blend(examples: RankingExamples, terms: Sequence[str] = TERMS) -> Blend:
    """Weights under which what happened is likeliest among the candidates that were there; all of them 0 or more."""
    queries = np.flatnonzero(chosen_in(examples) & ~examples.held_out)
    choices = choices_of(examples, queries, example_terms(examples, queries, terms))
    return Blend(fit_weights(choices), len(examples.objectives), terms)


def chosen_in(examples: RankingExamples) -> NDArray[np.bool_]:
    """bool [q], the queries in which something happened."""
    query = np.repeat(np.arange(len(examples)), np.diff(examples.start))
    return np.bincount(query, examples.wanted, len(examples)) > 0


def example_terms(examples: RankingExamples, queries: NDArray[np.int64], names: Sequence[str]) -> NDArray[np.float32]:
    """What is added up of the candidates of some queries, in their order: float32 [candidates, len(names)]."""
    terms = [np.zeros((0, len(names)), dtype=np.float32)]
    for batch in examples.batches(queries, QUERIES_A_CALL):
        terms.append(terms_of({name: tf.constant(values) for name, values in batch.items()}, names).numpy())
    return np.concatenate(terms)


def choices_of(examples: RankingExamples, queries: NDArray[np.int64], terms: NDArray[np.float32]) -> Choices:
    """What weights are fitted to.

    Args:
        examples: which the queries are of.
        queries: int64 [q], in each of which something happened.
        terms: float32, of their candidates: `example_terms`.
    """
    lengths, rows = np.diff(examples.start)[queries], examples.rows_of(queries)
    row = np.repeat(np.arange(len(queries)), lengths)
    wanted = examples.wanted[rows]
    return Choices(
        terms=terms.astype(np.float64),
        start=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        share=wanted / np.bincount(row, wanted, len(queries))[row],
        offset=np.log(examples.weight[rows].astype(np.float64)),
    )
