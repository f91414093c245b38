"""The ranker of a shop with visits and few purchases: a blend that orders by what comes next in them, judged by visits it did not see."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from endcap.contracts.evaluation import RANKER
from endcap_components.evaluate.simple_orders import METHODS, order_of
from endcap_components.train_ranker.blend import QUERIES_A_CALL, VISIT_TERMS, Blend, fit_blend
from endcap_components.train_ranker.calibration import PlattScaling
from endcap_components.train_ranker.choice import query_ndcg
from endcap_components.train_ranker.examples import RankingExamples
from endcap_components.train_ranker.train import predict_logits

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
    blend = fit_blend(examples, VISIT_TERMS)
    logits = _left_out_logits(examples, seed)
    queries = np.arange(len(examples))
    orders = {RANKER: logits, **_simple_orders(examples, queries)}
    ndcg = {name: query_ndcg(order, examples, queries) for name, order in orders.items()}
    calibration = {name: PlattScaling.fit(logits, examples.labels[:, column]) for column, name in enumerate(examples.objectives)}
    metrics = {"candidates": float(len(examples.item_row)), "moments": float(len(examples))}
    metrics |= {f"weight_{name}": weight for name, weight in blend.described().items()}
    metrics |= {f"left_out_ndcg_{name}": float(each.mean()) for name, each in ndcg.items() if len(each)}
    return VisitRanker(blend, calibration, ndcg, metrics)


def _left_out_logits(examples: RankingExamples, seed: int) -> NDArray[np.float32]:
    """float32 [m], of every candidate by a blend that did not see its visit."""
    visits = np.random.default_rng(seed).permutation(int(examples.user.max(initial=-1)) + 1)
    fold = visits[examples.user] % FOLDS
    logits = np.zeros(len(examples.item_row), dtype=np.float32)
    for each in range(FOLDS):
        queries = np.flatnonzero(fold == each)
        if len(queries):
            blend = fit_blend(replace(examples, held_out=fold == each), VISIT_TERMS)
            logits[examples.rows_of(queries)] = predict_logits(blend, examples, queries)[:, 0]
    return logits


def _simple_orders(examples: RankingExamples, queries: NDArray[np.int64]) -> dict[str, NDArray[np.float32]]:
    """By method, float32 [candidates of the queries]."""
    batches = list(examples.batches(queries, QUERIES_A_CALL))

    def of(method: str) -> NDArray[np.float32]:
        parts = [order_of(method, tf.constant(batch["item_numeric"]), tf.constant(batch["pair_numeric"])).numpy() for batch in batches]
        return np.concatenate([np.zeros(0, dtype=np.float32), *parts])

    return {method: of(method) for method in METHODS}
