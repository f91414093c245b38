"""What every model and baseline recommends to the evaluated users, as of the cut."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.algorithms.algorithm import TrainingData
from endcap.algorithms.interactions import Interactions
from endcap.algorithms.own_items import OwnScores
from endcap.algorithms.popularity import RecentPopular
from endcap.core.settings import RetrievalSettings
from endcap.engine.ranking.value import BUY_VALUE, default_value, usable_value, value_scores
from endcap.engine.retrieval.candidates import Candidates, CandidateSet
from endcap.engine.retrieval.user_state import UserState
from endcap.evaluation.ranked_lists import ScoredPairs
from endcap.evaluation.user_items import UserItems
from endcap.features.columns import OBJECTIVES
from endcap.training.candidates import candidate_sets, nearest_items
from endcap.training.moment_tables import MomentTables, TablesArtifact
from endcap.training.scoring import Signature, TwoTowerArtifact, evaluation_context, score_candidates
from endcap.training.training_set import TrainingSet
from endcap_components.evaluate.evaluated_users import EvaluatedUsers
from endcap_components.evaluate.simple_orders import METHODS, with_orders

BASELINE = "own_most_bought"
OWN_DECAY_DAYS = 60.0
OWN = (BASELINE, "own_decayed")
"""Models that know only what a user bought before, so they have nothing to say about new items."""


@dataclass(frozen=True)
class RankedCandidates:
    """The whole pipeline's candidates with the ranker's probabilities; pairs in the order of `scores.pairs`, which is by user.

    Attributes:
        scores: of the objective `buy`.
        probabilities: float32 [p] by objective.
        orders: float32 [p] by simple method: `endcap_components.evaluate.simple_orders`.
    """

    scores: ScoredPairs
    probabilities: Mapping[str, NDArray[np.float32]]
    orders: Mapping[str, NDArray[np.float32]]

    def ordered_by(self, method: str) -> ScoredPairs:
        """The same candidates with the scores of a method."""
        return ScoredPairs(self.scores.pairs, self.orders[method].astype(np.float64))


def baseline_scores(users: EvaluatedUsers, tables: MomentTables) -> dict[str, ScoredPairs]:
    """Every baseline by name, over eligible items; lists too short for a page go on with popular items."""
    deepest = np.full(len(users.user_ids), 2 * users.cutoffs.deep)
    fill = popular(users.everyone, deepest).eligible(users.eligible)
    nothing = np.zeros(0, dtype=np.int32)
    related = [tables.item_to_item.candidates(state, nothing, int(depth)) for state, depth in zip(users.states, users.depths, strict=True)]
    return {
        "popular": popular(users.everyone, users.depths).eligible(users.eligible),
        "own_most_bought": own_items(users.purchases, None).eligible(users.eligible).filled_from(fill),
        "own_decayed": own_items(users.purchases, OWN_DECAY_DAYS).eligible(users.eligible).filled_from(fill),
        "item_to_item": ScoredPairs.of(related).eligible(users.eligible),
    }


def popular(everyone: Interactions, depths: NDArray[np.int64]) -> ScoredPairs:
    """What everybody bought most in the last weeks, as many items for each user as `depths` (int64 [users]) says."""
    nothing = TrainingData(everyone, None, np.zeros((everyone.item_count + 1, 0), dtype=np.int32))
    counts = RecentPopular().fit(nothing, seed=0).bought
    bought = np.flatnonzero(counts).astype(np.int32)
    return ScoredPairs.same_for_all(Candidates.best(bought, counts[bought], int(depths.max(initial=0))), depths)


def own_items(purchases: Interactions, decay_days: float | None) -> ScoredPairs:
    """The users' own items, by how often they were bought, or by how often and lately."""
    return ScoredPairs.of_matrix(OwnScores(decay_days).summed(purchases))


@dataclass(frozen=True)
class Queries:
    """The two-tower's view of the users as of the cut.

    Attributes:
        queries: float32 [users, dim].
        items: float32 [n + 1, dim].
    """

    queries: NDArray[np.float32]
    items: NDArray[np.float32]

    @classmethod
    def of(cls, states: Sequence[UserState], training: TrainingSet, two_tower: TwoTowerArtifact) -> "Queries":
        cut = training.manifest.cut
        return cls(two_tower.encode(states, evaluation_context(cut)), two_tower.item_embeddings_at(cut))

    def nearest(self, users: EvaluatedUsers) -> ScoredPairs:
        """The two-tower alone."""
        deepest = nearest_items(self.queries, self.items, users.eligible, int(users.depths.max()))
        return ScoredPairs.of(
            [Candidates(each.index[:depth], each.score[:depth]) for each, depth in zip(deepest, users.depths, strict=True)]
        )


def ranked_candidates(
    states: Sequence[UserState],
    eligible: NDArray[np.bool_],
    queries: Queries,
    *,
    training: TrainingSet,
    tables: TablesArtifact,
    rank: Signature,
    quotas: RetrievalSettings,
    value: Mapping[str, float] = BUY_VALUE,
) -> RankedCandidates:
    """The whole pipeline as of the cut: the candidates of every source in the order of the ranker, and of the simple methods.

    Args:
        states: whose lists are made.
        eligible: bool [n + 1], what may be recommended.
        queries: of the same states.
        training: of the run.
        tables: of the run.
        rank: the ranker's signature.
        quotas: candidates a source.
        value: exponents of what candidates are ordered by: the ranker's own.
    """
    cut = training.manifest.cut
    known = tables.at(cut)
    found = candidate_sets(states, queries.queries, queries.items, known, quotas, eligible, training.user_vocabularies)
    context = evaluation_context(cut)
    by_user = score_candidates(with_orders(rank), states, queries.queries, found, training.items_at(cut), known.neighbours, context)
    return ranked_pairs(by_user, found, value)


def ranked_pairs(
    by_user: Sequence[Mapping[str, NDArray[np.float32]]], found: Sequence[CandidateSet], value: Mapping[str, float] = BUY_VALUE
) -> RankedCandidates:
    """Every user's candidates and outputs of the ranker as one, ordered by value; at least one user."""
    rows = np.repeat(np.arange(len(found), dtype=np.int64), [len(candidates) for candidates in found])
    pairs = UserItems(rows, np.concatenate([candidates.index for candidates in found]), len(found))
    outputs = {name: np.concatenate([scores[name] for scores in by_user]) for name in by_user[0]}
    probabilities = {name: values for name, values in outputs.items() if name in OBJECTIVES}
    orders = {name: values for name, values in outputs.items() if name in METHODS}
    usable = usable_value(value, default_value(dict.fromkeys(probabilities, 0)), tuple(probabilities))
    return RankedCandidates(ScoredPairs(pairs, value_scores(probabilities, usable).astype(np.float64)), probabilities, orders)
