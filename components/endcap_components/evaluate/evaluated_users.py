"""The people a run is judged by: what they had bought at the cut, and what they bought after it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.algorithms.interactions import Interactions
from endcap.contracts.moment import DAY_S
from endcap.engine.retrieval.user_state import UserState
from endcap.evaluation.accuracy import accuracy
from endcap.evaluation.cutoffs import Cutoffs
from endcap.evaluation.ranked_lists import RankedLists
from endcap.evaluation.user_items import UserItems, contains, pair_keys
from endcap.features.columns import PURCHASE_OBJECTIVES
from endcap.features.net_purchases import standing
from endcap.training.training_set import TrainingSet
from endcap_components.train_ranker.labels import happened_from

USERS_MAX = 20_000


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
        cutoffs: how deep their lists are judged.
        signal_truths: what else they did after the cut, by objective: what they carted, and what they viewed.
    """

    user_ids: Sequence[str]
    states: Sequence[UserState]
    truth: UserItems
    truth_baskets: NDArray[np.int32]
    purchases: Interactions
    everyone: Interactions
    eligible: NDArray[np.bool_]
    cutoffs: Cutoffs
    signal_truths: Mapping[str, UserItems] = field(default_factory=dict)

    @classmethod
    def of(cls, training: TrainingSet, users_max: int, seed: int) -> "EvaluatedUsers":
        """Everybody with purchases on both sides of the cut, or a sample of `users_max`."""
        buyers = _labels(training)["user_id"].unique()
        known = training.user_ids_at(training.manifest.cut)
        user_ids = np.array(known.filter(known.is_in(buyers.implode())).to_list(), dtype=object)
        if len(user_ids) > users_max:
            user_ids = user_ids[np.sort(np.random.default_rng(seed).choice(len(user_ids), size=users_max, replace=False))]
        return cls.these(training, user_ids.tolist())

    @classmethod
    def these(cls, training: TrainingSet, user_ids: Sequence[str]) -> "EvaluatedUsers":
        """Users by their ids, in that order; each had bought something before the cut and something eligible after it."""
        cut, eligible = training.manifest.cut, training.eligible_at(training.manifest.cut)
        at_cut = training.users_at(cut)
        row_of = {user_id: row for row, user_id in enumerate(at_cut.user_ids)}
        places = pl.DataFrame({"user_id": user_ids, "user_row": range(len(user_ids))}, schema={"user_id": pl.String, "user_row": pl.Int64})
        labels = _labels(training).join(places, on="user_id", how="inner").sort("user_row", "item_index")
        before, item_count = purchases_before(pl.scan_parquet(training.path / "purchases.parquet"), cut), len(training.item_rows)
        return cls(
            user_ids=user_ids,
            states=[at_cut.states[row_of[user_id]] for user_id in user_ids],
            truth=UserItems(labels["user_row"].to_numpy(), labels["item_index"].to_numpy().astype(np.int32), len(user_ids)),
            truth_baskets=labels["baskets"].to_numpy().astype(np.int32),
            purchases=Interactions.of(before, user_ids, item_count),
            everyone=Interactions.of(before, before["user_id"].unique().sort().to_list(), item_count),
            eligible=eligible,
            cutoffs=Cutoffs.of(int(eligible.sum())),
            signal_truths=_signal_truths(training, places),
        )

    @cached_property
    def depths(self) -> NDArray[np.int64]:
        """int64 [u]: items to score so that the deep cut-off is left when what a user bought is taken out."""
        return self.cutoffs.deep + self.bought.counts

    @cached_property
    def bought(self) -> UserItems:
        """Pairs of the users and what they bought before the cut."""
        return UserItems.of(self.purchases)

    @cached_property
    def new(self) -> UserItems:
        """The part of the truth that they had never bought."""
        return self.truth.without(self.bought)

    def happened(self, pairs: UserItems) -> dict[str, NDArray[np.bool_]]:
        """By objective, bool [p]: whether it came true of each pair after the cut."""
        keys = pair_keys(pairs.user_row, pairs.item_index)
        again = self.truth.where(self.truth_baskets >= 2)
        truths = {"buy": self.truth, "buy_again": again, **self.signal_truths}
        return {name: contains(truth.keys, keys) for name, truth in truths.items()}

    def ndcg(self, lists: RankedLists) -> NDArray[np.float64]:
        """float64 [users with something in the truth], at the main cut-off."""
        judged = self.truth.counts > 0
        return accuracy(lists.hits(self.truth)[judged], self.truth.counts[judged], self.cutoffs.main)["ndcg"]


def _signal_truths(training: TrainingSet, places: pl.DataFrame) -> dict[str, UserItems]:
    """By objective beside purchases, what the users of `places` (user_id, user_row) did in the horizon from the cut."""
    found = {}
    for name, pairs in happened_from(training, training.manifest.cut).items():
        if name not in PURCHASE_OBJECTIVES:
            rows = pairs.join(places, on="user_id", how="inner").sort("user_row", "item_index")
            found[name] = UserItems(rows["user_row"].to_numpy(), rows["item_index"].to_numpy().astype(np.int32), len(places))
    return found


def _labels(training: TrainingSet) -> pl.DataFrame:
    """Purchases after the cut of items that may be recommended."""
    cut = training.manifest.cut
    labels = training.labels_at(cut)
    return labels.filter(pl.Series(training.eligible_at(cut)[labels["item_index"].to_numpy()]))


def purchases_before(purchases: pl.LazyFrame, cut: datetime) -> pl.DataFrame:
    """What was bought before the cut and not returned by then, an item once a basket, oldest first.

    Args:
        purchases: columns user_id, item_index, session_id, occurred_at, taken_off_at.
        cut: nothing from here on is seen.

    Returns:
        Columns user_id, item_index, age_days.
    """
    age_days = (pl.lit(cut) - pl.col("occurred_at")).dt.total_seconds() / DAY_S
    return (
        purchases.filter(pl.col("occurred_at") < cut, standing(pl.lit(cut)))
        .group_by("user_id", "session_id", "item_index")
        .agg(age_days.min().alias("age_days"))
        .sort("age_days", "item_index", descending=[True, False])
        .collect()
    )
