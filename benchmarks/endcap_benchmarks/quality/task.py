"""One task of the harness: learn from these purchases, then recommend to these people; what they bought in truth, and their segments."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.algorithms.algorithm import TrainingData
from endcap.algorithms.interactions import Interactions
from endcap.catalogue.item_attributes import attribute_codes
from endcap.catalogue.item_table import ItemTable
from endcap.evaluation.evaluate_lists import SEGMENT_USERS_MIN, by_value, history_terciles, large_enough
from endcap.evaluation.user_items import UserItems


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
        learner_ids: of the users of `training`, where somebody asks who they are.
        of_visits: whether a row is a visit up to one of its events.
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
    learner_ids: Sequence[str] = ()
    of_visits: bool = False

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


LIGHT_ITEMS = 5
"""Up to so many distinct items a user counts as light."""
NEW_DAYS = 28
"""A user whose first purchase is not older counts as new."""
CATEGORIES = 6
"""Most categories that get a segment each, those with the most users."""
SAME_TASTE = 0.8
"""A level at which so many users favour the same category tells them not apart."""
HISTORY_NAMES = tuple(f"history: {name} third" for name in ("shortest", "middle", "longest"))
PRICE_NAMES = ("low", "middle", "high")


def user_segments(
    history: pl.DataFrame, user_ids: Sequence[str], catalogue: TaskCatalogue, *, knows_times: bool
) -> dict[str, NDArray[np.bool_]]:
    """Segments that are large enough and not everybody, bool [users] by name.

    Args:
        history: columns user_id, item_index, age_days, unit_price: what is known of the users.
        user_ids: the users, by row.
        catalogue: of the items.
        knows_times: whether ages say more than an order.
    """
    rows = pl.DataFrame({"user_id": list(user_ids)})
    known = history.group_by("user_id").agg(pl.col("item_index").n_unique().alias("items"), pl.col("age_days").max().alias("first_age"))
    known = rows.join(known, on="user_id", how="left", maintain_order="left")
    items = known["items"].fill_null(0).to_numpy()
    first_age = known["first_age"].fill_null(0).to_numpy()
    segments = {
        **dict(zip(HISTORY_NAMES, history_terciles(items).values(), strict=True)),
        f"light: up to {LIGHT_ITEMS} items": items <= LIGHT_ITEMS,
        f"new: first bought within {NEW_DAYS} days": (first_age <= NEW_DAYS) & knows_times,
        **_price_levels(history, rows, catalogue),
        **_preferences(history, rows, catalogue),
    }
    return {name: part for name, part in large_enough(segments).items() if not part.all()}


def _price_levels(history: pl.DataFrame, rows: pl.DataFrame, catalogue: TaskCatalogue) -> dict[str, NDArray[np.bool_]]:
    """Thirds of the users by what they pay, compared with what others pay in the same category."""
    leaf = catalogue.table.leaf_code[history["item_index"].to_numpy()]
    paid = history.select("user_id", "unit_price").with_columns(pl.Series("category", leaf)).filter(pl.col("unit_price") > 0)
    ratio = pl.col("unit_price") / pl.col("unit_price").mean().over("category")
    level = paid.with_columns(ratio.log().alias("ratio")).group_by("user_id").agg(pl.col("ratio").mean())
    by_user = rows.join(level, on="user_id", how="left", maintain_order="left")["ratio"].to_numpy().astype(np.float64)
    has_level = ~np.isnan(by_user)
    if has_level.sum() < 3 * SEGMENT_USERS_MIN:
        return {}
    third = np.searchsorted(np.quantile(by_user[has_level], [1 / 3, 2 / 3]), by_user)
    return {f"price level: {name}": has_level & (third == place) for place, name in enumerate(PRICE_NAMES)}


def _preferences(history: pl.DataFrame, rows: pl.DataFrame, catalogue: TaskCatalogue) -> dict[str, NDArray[np.bool_]]:
    """Users by the category that they bought most from, at the broadest level at which users differ."""
    for level in range(catalogue.table.category_codes.shape[1]):
        favourite = _favourites(history, rows, catalogue.table.category_codes[history["item_index"].to_numpy(), level])
        known = favourite[favourite > 0]
        if len(known) and np.bincount(known).max() < SAME_TASTE * len(known):
            found, users = np.unique(known, return_counts=True)
            largest = set(found[np.argsort(-users, kind="stable")][:CATEGORIES].tolist())
            names = [catalogue.table.categories.name(code) if code in largest else "" for code in favourite.tolist()]
            return by_value("buys most", names)
    return {}


def _favourites(history: pl.DataFrame, rows: pl.DataFrame, codes: NDArray[np.int32]) -> NDArray[np.int64]:
    """int64 [users], the code that stands most often in a user's history, 0 where none does."""
    counted = history.select("user_id").with_columns(pl.Series("code", codes)).filter(pl.col("code") > 0).group_by("user_id", "code").len()
    first = counted.sort("user_id", "len", "code", descending=[False, True, False]).unique("user_id", keep="first", maintain_order=True)
    found = rows.join(first, on="user_id", how="left", maintain_order="left")["code"]
    favourites: NDArray[np.int64] = found.fill_null(0).to_numpy().astype(np.int64)
    return favourites
