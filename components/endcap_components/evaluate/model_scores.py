"""What every model and baseline recommends to the evaluated users, as of the cut."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.algorithms.algorithm import TrainingData
from endcap.algorithms.interactions import Interactions
from endcap.algorithms.own_items import OwnScores
from endcap.algorithms.popularity import RecentPopular
from endcap.contracts.evaluation import DEEP_K, FULL
from endcap.contracts.moment import DAY_S
from endcap.core.settings import RetrievalSettings
from endcap.engine.retrieval.candidates import Candidates, CandidateSet
from endcap.engine.retrieval.user_state import UserState
from endcap.evaluation.ranked_lists import ScoredPairs
from endcap.evaluation.user_items import UserItems
from endcap.features.net_purchases import standing
from endcap.training.candidates import candidate_sets, nearest_items
from endcap.training.moment_tables import MomentTables, TablesArtifact
from endcap.training.scoring import RankerArtifact, TwoTowerArtifact, evaluation_context
from endcap.training.training_set import TrainingSet

BASELINE = "own_most_bought"
OWN_DECAY_DAYS = 60.0
OWN = (BASELINE, "own_decayed")
"""Models that know only what a user bought before, so they have nothing to say about new items."""


@dataclass(frozen=True)
class EvaluatedUsers:
    """Users with purchases on both sides of the cut, as they were at the cut.

    Attributes:
        user_ids: of u users.
        states: of the same users.
        truth: everything they bought after the cut among eligible items.
        truth_baskets: int32, baskets of each pair of `truth`.
        purchases: of these users, before the cut, an item once a basket.
        everyone: the same of all users, whether they are evaluated or not.
        eligible: bool [n + 1].
    """

    user_ids: Sequence[str]
    states: Sequence[UserState]
    truth: UserItems
    truth_baskets: NDArray[np.int32]
    purchases: Interactions
    everyone: Interactions
    eligible: NDArray[np.bool_]

    @classmethod
    def of(cls, training: TrainingSet, users_max: int, seed: int) -> "EvaluatedUsers":
        """Everybody, or a sample of `users_max`."""
        cut = training.manifest.cut
        eligible = training.eligible_at(cut)
        labels = training.labels_at(cut).filter(pl.Series(eligible[training.labels_at(cut)["item_index"].to_numpy()]))
        users = training.users_at(cut)
        buyers = set(labels["user_id"].unique().to_list())
        rows = np.array([row for row, user_id in enumerate(users.user_ids) if user_id in buyers], dtype=np.int64)
        if len(rows) > users_max:
            rows = np.sort(np.random.default_rng(seed).choice(rows, size=users_max, replace=False))
        user_ids = [users.user_ids[row] for row in rows]
        places = pl.DataFrame({"user_id": user_ids, "user_row": np.arange(len(rows), dtype=np.int64)})
        labels = labels.join(places, on="user_id", how="inner").sort("user_row", "item_index")
        before, item_count = purchases_before(pl.scan_parquet(training.path / "purchases.parquet"), cut), len(training.item_rows)
        return cls(
            user_ids=user_ids,
            states=[users.states[row] for row in rows],
            truth=UserItems(labels["user_row"].to_numpy(), labels["item_index"].to_numpy().astype(np.int32), len(rows)),
            truth_baskets=labels["baskets"].to_numpy().astype(np.int32),
            purchases=Interactions.of(before, user_ids, item_count),
            everyone=Interactions.of(before, before["user_id"].unique().sort().to_list(), item_count),
            eligible=eligible,
        )

    @cached_property
    def depths(self) -> NDArray[np.int64]:
        """int64 [u]: items to score so that DEEP_K are left when what a user bought is taken out."""
        return DEEP_K + self.bought.counts

    @cached_property
    def bought(self) -> UserItems:
        """Pairs of the users and what they bought before the cut."""
        return UserItems.of(self.purchases)


@dataclass(frozen=True)
class RankedCandidates:
    """The whole pipeline's candidates with the ranker's probabilities; pairs in the order of `scores.pairs`."""

    scores: ScoredPairs
    probabilities: dict[str, NDArray[np.float32]]


def baseline_scores(users: EvaluatedUsers, tables: MomentTables) -> dict[str, ScoredPairs]:
    """Every baseline by name, over eligible items; lists too short for a page go on with popular items."""
    deepest = np.full(len(users.user_ids), 2 * DEEP_K)
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


def trained_scores(
    users: EvaluatedUsers,
    *,
    training: TrainingSet,
    tables: TablesArtifact,
    two_tower: TwoTowerArtifact,
    ranker: RankerArtifact,
    quotas: RetrievalSettings,
) -> tuple[dict[str, ScoredPairs], RankedCandidates]:
    """The two-tower alone, and the whole pipeline."""
    cut = training.manifest.cut
    context = evaluation_context(cut)
    queries = two_tower.encode(users.states, context)
    embeddings = two_tower.item_embeddings_at(cut)
    deepest = nearest_items(queries, embeddings, users.eligible, int(users.depths.max()))
    nearest = ScoredPairs.of(
        [Candidates(each.index[:depth], each.score[:depth]) for each, depth in zip(deepest, users.depths, strict=True)]
    )
    known = tables.at(cut)
    found = candidate_sets(users.states, queries, embeddings, known, quotas, users.eligible, training.user_vocabularies)
    ranked = _rank(ranker.score(users.states, queries, found, training.items_at(cut), known.item_to_item, context), found)
    return {"two_tower": nearest, FULL: ranked.scores}, ranked


def _rank(by_user: Sequence[Mapping[str, NDArray[np.float32]]], found: Sequence[CandidateSet]) -> RankedCandidates:
    rows = np.repeat(np.arange(len(found), dtype=np.int64), [len(candidates) for candidates in found])
    index = np.concatenate([candidates.index for candidates in found])
    probabilities = {name: np.concatenate([scores[name] for scores in by_user]) for name in by_user[0]}
    pairs = UserItems(rows, index, len(found))
    return RankedCandidates(ScoredPairs(pairs, probabilities["buy"].astype(np.float64)), probabilities)


def purchases_before(purchases: pl.LazyFrame, cut: datetime) -> pl.DataFrame:
    """What known users bought before the cut and had not returned by then, an item once a basket, oldest first.

    Args:
        purchases: columns user_id, item_index, session_id, occurred_at, taken_off_at.
        cut: nothing from here on is seen.

    Returns:
        Columns user_id, item_index, age_days.
    """
    age_days = (pl.lit(cut) - pl.col("occurred_at")).dt.total_seconds() / DAY_S
    return (
        purchases.filter(pl.col("user_id").is_not_null(), pl.col("occurred_at") < cut, standing(pl.lit(cut)))
        .group_by("user_id", "session_id", "item_index")
        .agg(age_days.min().alias("age_days"))
        .sort("age_days", "item_index", descending=[True, False])
        .collect()
    )
