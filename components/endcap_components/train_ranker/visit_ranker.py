"""The ranker of a shop with visits and few purchases: a blend that orders by what comes next in them, judged by visits it did not see."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from endcap.contracts.evaluation import RANKER
from endcap.training.conditional_logit import fit_weights
from endcap_components.evaluate.simple_orders import METHODS, order_of
from endcap_components.train_ranker.blend import VISIT_TERMS, Blend, choices_of, chosen_in, example_terms
from endcap_components.train_ranker.calibration import PlattScaling
from endcap_components.train_ranker.choice import query_ndcg
from endcap_components.train_ranker.examples import RankingExamples

FOLDS = 5
"""A week of a small shop has some fifty visits: each teaches, and each is ordered by what the others taught."""


@dataclass(frozen=True)
class VisitRanker:
    """A fitted order.

    Attributes:
        model: what orders.
        calibration: by objective.
        ndcg: by what could order, NDCG@10 at each moment whose next item was among the candidates; float64. That of the model is of
            models that had not learned from the moment's visit.
        metrics: by name.
    """

    model: Blend
    calibration: Mapping[str, PlattScaling]
    ndcg: Mapping[str, NDArray[np.float64]]
    metrics: Mapping[str, float]


def fit_visit_ranker(examples: RankingExamples, seed: int) -> VisitRanker:
    """Learn from all visits, and judge by what the others taught of each.

    Args:
        examples: of `visit_examples`.
        seed: of the visits that are left out together.
    """
    queries = np.arange(len(examples))
    terms = example_terms(examples, queries, VISIT_TERMS)
    blend = Blend(_weights(examples, queries, terms), len(examples.objectives), VISIT_TERMS)
    logits = _left_out_logits(examples, terms, seed)
    ndcg = {name: query_ndcg(order, examples, queries) for name, order in {RANKER: logits, **_simple_orders(examples)}.items()}
    calibration = {name: PlattScaling.fit(logits, examples.labels[:, column]) for column, name in enumerate(examples.objectives)}
    metrics = {"candidates": float(len(examples.item_row)), "moments": float(len(examples))}
    metrics |= {f"weight_{name}": weight for name, weight in blend.described().items()}
    metrics |= {f"left_out_ndcg_{name}": float(each.mean()) for name, each in ndcg.items() if len(each)}
    return VisitRanker(blend, calibration, ndcg, metrics)


def _weights(examples: RankingExamples, queries: NDArray[np.int64], terms: NDArray[np.float32]) -> NDArray[np.float32]:
    """float32 [terms], fitted to some queries; `terms` are of all candidates."""
    chosen = queries[chosen_in(examples)[queries]]
    return fit_weights(choices_of(examples, chosen, terms[examples.rows_of(chosen)]))


def _left_out_logits(examples: RankingExamples, terms: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    """float32 [m], of every candidate by weights that its visit did not teach."""
    visits = np.random.default_rng(seed).permutation(int(examples.user.max(initial=-1)) + 1)
    fold = visits[examples.user] % FOLDS
    logits = np.zeros(len(terms), dtype=np.float32)
    for each in range(FOLDS):
        rows = examples.rows_of(np.flatnonzero(fold == each))
        logits[rows] = terms[rows] @ _weights(examples, np.flatnonzero(fold != each), terms)
    return logits


def _simple_orders(examples: RankingExamples) -> dict[str, NDArray[np.float32]]:
    """By method, float32 [m]."""
    item, pair = tf.constant(examples.item_numeric[examples.item_row]), tf.constant(examples.pair_numeric)
    return {method: order_of(method, item, pair).numpy() for method in METHODS}
