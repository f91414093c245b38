"""Which model orders: the network, or a blend of the sources, by the users held out."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.evaluation.accuracy import accuracy
from endcap.evaluation.ranked_lists import ScoredPairs
from endcap.evaluation.user_items import UserItems
from endcap_components.train_ranker.blend import Blend, fit_blend
from endcap_components.train_ranker.calibration import PlattScaling
from endcap_components.train_ranker.examples import RankingExamples
from endcap_components.train_ranker.hyperparameters import RankerHyperparameters
from endcap_components.train_ranker.model import Ranker
from endcap_components.train_ranker.train import calibrate, fit_ranker, predict_logits

K = 10
NETWORK, BLEND = "network", "blend"


def fit_model(
    examples: RankingExamples, category_sizes: list[int], parameters: RankerHyperparameters, *, is_next_item: bool, seed: int
) -> tuple[Ranker | Blend, dict[str, PlattScaling], dict[str, float]]:
    """Fit what is asked for; left to the data, the better of both where next purchases alone are learned, else the network.

    A blend orders by one sum, whatever is asked of the list: where there are several objectives it would make their exponents idle.

    Returns:
        The model, its calibration by objective, and metrics.
    """
    may_blend = is_next_item and len(examples.objectives) == 1
    if parameters.kind == NETWORK or (parameters.kind == "auto" and not may_blend):
        return fit_ranker(examples, category_sizes, parameters, seed)
    blend = fit_blend(examples)
    calibration, errors = calibrate(blend, examples, np.flatnonzero(examples.held_out))
    metrics = {
        "candidates": float(len(examples.item_row)),
        **errors,
        **{f"weight_{name}": each for name, each in blend.described().items()},
    }
    if parameters.kind == BLEND:
        return blend, calibration, metrics
    network, of_network, network_metrics = fit_ranker(examples, category_sizes, parameters, seed)
    chosen = choose_model(network, blend, examples)
    judged = {f"held_out_ndcg_{name}": value for name, value in chosen.ndcg.items()}
    if chosen.name == NETWORK:
        return network, of_network, network_metrics | judged
    return blend, calibration, metrics | judged


@dataclass(frozen=True)
class Chosen:
    """The model that orders, and what both were worth to the users held out."""

    name: str
    model: Ranker | Blend
    ndcg: Mapping[str, float]


def choose_model(network: Ranker, blend: Blend, examples: RankingExamples) -> Chosen:
    """The one with the higher NDCG@10 of purchases on the users held out; the network where both are alike, or nobody can be judged."""
    queries = np.flatnonzero(examples.held_out)
    models: dict[str, Ranker | Blend] = {NETWORK: network, BLEND: blend}
    ndcg = {name: held_out_ndcg(predict_logits(model, examples, queries)[:, 0], examples, queries) for name, model in models.items()}
    name = max(ndcg, key=lambda each: ndcg[each])
    return Chosen(name, models[name], ndcg)


def held_out_ndcg(score: NDArray[np.float32], examples: RankingExamples, queries: NDArray[np.int64]) -> float:
    """Mean of `query_ndcg`; 0 where nothing can be judged."""
    values = query_ndcg(score, examples, queries)
    return float(values.mean()) if len(values) else 0.0


def query_ndcg(score: NDArray[np.float32], examples: RankingExamples, queries: NDArray[np.int64]) -> NDArray[np.float64]:
    """NDCG@10 of each query with a candidate of which something came true; float64.

    Args:
        score: float32 [m], of the queries' candidates in order.
        examples: which the queries are of.
        queries: int64 [q], with all their candidates.
    """
    rows = examples.rows_of(queries)
    row = np.repeat(np.arange(len(queries)), examples.start[queries + 1] - examples.start[queries])
    wanted = examples.wanted[rows]
    place = np.arange(1, len(rows) + 1, dtype=np.int32)
    lists = ScoredPairs(UserItems(row, place, len(queries)), score.astype(np.float64)).lists(K)
    truth = UserItems(row[wanted], place[wanted], len(queries))
    judged = truth.counts > 0
    if not judged.any():
        return np.zeros(0)
    return accuracy(lists.hits(truth)[judged], truth.counts[judged], K)["ndcg"]
