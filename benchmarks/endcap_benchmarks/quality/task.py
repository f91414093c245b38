"""One thing that models are asked: learn from these purchases, then recommend to these people; and what they bought in truth."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.algorithms.interactions import Interactions
from endcap.algorithms.method import TrainingData
from endcap.catalogue.item_attributes import attribute_codes
from endcap.catalogue.item_table import ItemTable
from endcap.evaluation.purchase_log import UserItems


@dataclass(frozen=True)
class Truth:
    """What lists are judged against.

    Attributes:
        items: pairs of the task's users and items; users without any are not judged.
        hidden: what a list leaves out, by user; None where everything may stand in it.
    """

    items: UserItems
    hidden: UserItems | None


@dataclass(frozen=True)
class RankingTask:
    """Learn, recommend, be judged. The catalogue holds what may be recommended and nothing else: n items in order of item_id, from 1.

    Attributes:
        name: of the task among those of its protocol, for example 2017-12-04.
        items: the catalogue.
        training: what a model learns from, all users.
        histories: what is known of the u users who get lists.
        user_ids: of the same users.
        truths: by name.
        bought: pairs of the users and everything they had bought before.
        buyer_share: float64 [n + 1], share of the users in training who bought the item; one that none did counts as half a buyer.
        segments: bool [u] by name.
        cut: the moment that histories end at; None where each user has an own one.
    """

    name: str
    items: ItemTable
    training: TrainingData
    histories: Interactions
    user_ids: Sequence[str]
    truths: dict[str, Truth]
    bought: UserItems
    buyer_share: NDArray[np.float64]
    segments: dict[str, NDArray[np.bool_]] = field(default_factory=dict)
    cut: datetime | None = None

    @property
    def users(self) -> int:
        return len(self.user_ids)

    @property
    def item_count(self) -> int:
        return self.histories.item_count


@dataclass(frozen=True)
class TaskCatalogue:
    """The items that may be recommended: rows of the canonical items, sorted by item_id, and what models see of them."""

    rows: pl.DataFrame
    table: ItemTable
    attributes: NDArray[np.int32]

    @classmethod
    def of(cls, rows: pl.DataFrame) -> "TaskCatalogue":
        return cls(rows, ItemTable.from_items(rows), attribute_codes(rows))

    def coded(self, purchases: pl.DataFrame) -> pl.DataFrame:
        """The purchases of these items, with the column item_index (int32)."""
        index = self.rows.select("item_id").with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.Int32).alias("item_index"))
        return purchases.join(index, on="item_id", how="inner", maintain_order="left")


def interactions_of(purchases: pl.DataFrame, user_ids: Sequence[str], item_count: int) -> Interactions:
    """Purchases of some users; a user's order is that of the rows.

    Args:
        purchases: columns user_id, item_index, age_days.
        user_ids: row r of the result belongs to user_ids[r].
        item_count: items of the catalogue.
    """
    rows = pl.DataFrame({"user_id": list(user_ids), "user_row": np.arange(len(user_ids))})
    mine = purchases.join(rows, on="user_id", how="inner", maintain_order="left").sort("user_row", maintain_order=True)
    start = np.searchsorted(mine["user_row"].to_numpy(), np.arange(len(user_ids) + 1))
    return Interactions(
        start.astype(np.int64), mine["item_index"].to_numpy().astype(np.int32), mine["age_days"].to_numpy().astype(np.float32), item_count
    )


def pairs_of(purchases: pl.DataFrame, user_ids: Sequence[str]) -> UserItems:
    """Distinct pairs of some users and the items (item_index) of their purchases, by user and item."""
    rows = pl.DataFrame({"user_id": list(user_ids), "user_row": np.arange(len(user_ids), dtype=np.int64)})
    mine = purchases.select("user_id", "item_index").unique().join(rows, on="user_id", how="inner").sort("user_row", "item_index")
    return UserItems(mine["user_row"].to_numpy(), mine["item_index"].to_numpy().astype(np.int32), len(user_ids))


def buyer_share(training: Interactions) -> NDArray[np.float64]:
    """As of `RankingTask.buyer_share`."""
    buyers = np.asarray(training.bought.sum(axis=0)).ravel()
    share: NDArray[np.float64] = np.maximum(buyers, 0.5) / max(training.users, 1)
    return share
