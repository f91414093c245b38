"""The order in which candidates are served: which sources bring them, and the ranker or a simple method in its place."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from endcap.contracts.evaluation import FULL, ORDERED, RANKER, Ordering
from endcap.core.settings import RetrievalSettings
from endcap.evaluation.accuracy import accuracy
from endcap.evaluation.ordering import choose_order, choose_retrieval
from endcap.evaluation.ranked_lists import ScoredPairs
from endcap_components.evaluate.evaluated_users import EvaluatedUsers
from endcap_components.evaluate.model_scores import RankedCandidates
from endcap_components.evaluate.simple_orders import METHODS, fit_calibration, probability_of
from endcap_components.train_ranker.choice import K as VISIT_K


@dataclass(frozen=True)
class OrderLimits:
    """What a model must reach to be used.

    Attributes:
        min_lift: NDCG of the ranker above the best simple method.
        min_recall_lift: recall of the two-tower above popularity, on items new to the user.
    """

    min_lift: float = 0.0
    min_recall_lift: float = 0.0


@dataclass(frozen=True)
class RetrievalChoice:
    """Whether the two-tower brings candidates, and why."""

    uses_two_tower: bool
    reason: str

    def quotas(self, trained: RetrievalSettings) -> RetrievalSettings:
        """Candidates a source, the two-tower's left out where it brings none."""
        return trained if self.uses_two_tower else trained.model_copy(update={"two_tower_quota": 0})


def choose_candidates(users: EvaluatedUsers, scores: Mapping[str, ScoredPairs], limits: OrderLimits) -> RetrievalChoice:
    """Judge the two-tower's retrieval by what is new to the users.

    Args:
        users: of the run.
        scores: of `two_tower` and `popular`, among others.
        limits: what the two-tower must reach.
    """
    judged, k = users.new.counts > 0, users.cutoffs.deep
    if not judged.any():
        return RetrievalChoice(True, "the two-tower brings candidates: nobody bought anything new, so nothing speaks against it")

    def recall(model: str) -> float:
        lists = scores[model].new_to_user(users.bought).lists(k)
        return float(accuracy(lists.hits(users.new)[judged], users.new.counts[judged], k)["recall"].mean())

    return RetrievalChoice(*choose_retrieval(recall("two_tower"), recall("popular"), limits.min_recall_lift, f"recall@{k}"))


@dataclass(frozen=True)
class ServedOrder:
    """What orders, and the candidates in that order.

    Attributes:
        ordering: what was chosen, and why.
        scores: of the candidates' pairs.
        probabilities: float32 [p] by objective, of the same pairs.
    """

    ordering: Ordering
    scores: ScoredPairs
    probabilities: Mapping[str, NDArray[np.float32]]

    @property
    def model(self) -> str:
        """Its name among the evaluated models."""
        return FULL if self.ordering.ordered_by == RANKER else ORDERED


def order_by_visits(visit_ndcg: Mapping[str, NDArray[np.float64]], by: OrderLimits, seed: int) -> Ordering | None:
    """What orders, by visits that a ranker of visits had not seen; None where it learned from purchases.

    Args:
        visit_ndcg: of the ranker: `endcap.training.scoring.RankerArtifact.visit_ndcg`.
        by: what the ranker must reach.
        seed: of the resamples.
    """
    judged = "moments of visits"
    return choose_order(visit_ndcg, by.min_lift, seed, f"NDCG@{VISIT_K}", judged) if visit_ndcg else None


def choose_served_order(
    users: EvaluatedUsers,
    ranked: RankedCandidates,
    retrieval: RetrievalChoice,
    by: OrderLimits,
    seed: int,
    *,
    by_visits: Ordering | None = None,
) -> ServedOrder:
    """Let the ranker and the simple methods order the same candidates for the same users, and take the one that is served.

    A ranker that learned from visits is judged by visits: whoever buys is one of few.
    """
    chosen = by_visits
    if chosen is None:
        values = {RANKER: users.ndcg(ranked.scores.lists(users.cutoffs.main))}
        values |= {name: users.ndcg(ranked.ordered_by(name).lists(users.cutoffs.main)) for name in METHODS}
        chosen = choose_order(values, by.min_lift, seed, f"NDCG@{users.cutoffs.main}")
    ordering = chosen.model_copy(update={"uses_two_tower": retrieval.uses_two_tower, "retrieval_reason": retrieval.reason})
    if ordering.ordered_by == RANKER:
        return ServedOrder(ordering, ranked.scores, ranked.probabilities)
    order, happened = ranked.orders[ordering.ordered_by], users.happened(ranked.scores.pairs)
    calibration = {name: fit_calibration(order, happened[name]) for name in ranked.probabilities}
    probabilities = {name: probability_of(tf.constant(order), each).numpy() for name, each in calibration.items()}
    return ServedOrder(ordering.model_copy(update={"calibration": calibration}), ranked.ordered_by(ordering.ordered_by), probabilities)
