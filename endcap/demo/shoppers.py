"""Whom the demo asks for: real households that shop often, now and then and rarely, and a real basket."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from endcap.features.net_purchases import purchases_with_taken_off


@dataclass(frozen=True)
class Shopper:
    """One household: how it is introduced, and its latest purchases by name."""

    user_id: str
    habit: str
    baskets: int
    lately: tuple[str, ...]


@dataclass(frozen=True)
class DemoCast:
    """Everybody and everything the demo asks about.

    Attributes:
        shoppers: three known households.
        session_items: what the anonymous visitor has looked at, oldest first.
        product: the item of the product page.
        cart: items of a cart.
        titles: names by item id, of the items above.
    """

    shoppers: tuple[Shopper, ...]
    session_items: tuple[str, ...]
    product: str
    cart: tuple[str, ...]
    titles: dict[str, str]


def choose_cast(dataset_dir: Path) -> DemoCast:
    """Pick by activity and popularity, never by how good the answer looks; the same dataset gives the same cast."""
    items = pl.read_parquet(dataset_dir / "items.parquet", columns=["item_id", "title", "category_path"])
    purchases = (
        purchases_with_taken_off(dataset_dir / "events.parquet")
        .filter(pl.col("taken_off_at").is_null() & pl.col("user_id").is_not_null())
        .select("user_id", "session_id", "item_id", "occurred_at")
        .collect()
    )
    activity = (
        purchases.group_by("user_id")
        .agg(pl.col("session_id").n_unique().alias("baskets"))
        .filter(pl.col("baskets") > 1)
        .sort("baskets", "user_id")
    )
    titles = dict(items.select("item_id", "title").iter_rows())
    shoppers = tuple(
        _shopper(activity.row(int(place * (len(activity) - 1))), habit, purchases, titles)
        for place, habit in ((0.95, "shops often"), (0.5, "shops now and then"), (0.1, "shops rarely"))
    )
    popular = _popular_by_category(purchases, items)
    return DemoCast(shoppers, popular[:3], popular[3], popular[4:7], titles)


def _shopper(row: tuple[str, int], habit: str, purchases: pl.DataFrame, titles: dict[str, str]) -> Shopper:
    user_id, baskets = row
    newest = purchases.filter(pl.col("user_id") == user_id).sort("occurred_at", descending=True)["item_id"].unique(maintain_order=True)
    names = dict.fromkeys(titles.get(item, item) for item in newest.head(20))
    return Shopper(user_id, habit, baskets, tuple(names)[:4])


def _popular_by_category(purchases: pl.DataFrame, items: pl.DataFrame) -> tuple[str, ...]:
    """Items of the busiest department bought by the most people, one a category, most bought first."""
    paths = items.filter(pl.col("category_path").list.len() > 1).select(
        "item_id",
        pl.col("category_path").list.get(0).alias("department"),
        pl.col("category_path").list.get(1).alias("category"),
    )
    bought = purchases.join(paths, on="item_id")
    busiest = bought.group_by("department").len().sort("len", descending=True)["department"][0]
    best = (
        bought.filter(pl.col("department") == busiest)
        .group_by("item_id", "category")
        .agg(pl.col("user_id").n_unique().alias("buyers"))
        .sort(["buyers", "item_id"], descending=[True, False])
        .unique("category", keep="first", maintain_order=True)
    )
    return tuple(best["item_id"].head(7))
