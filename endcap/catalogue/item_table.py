"""The catalogue in memory: columns by item index, so that a request gathers rows instead of asking a store."""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.catalogue.text_column import TextColumn
from endcap.catalogue.vocabulary import Vocabulary
from endcap.contracts.item import Availability
from endcap.features.columns import ITEM_NUMERIC

CATEGORY_LEVELS = 3
PATH_SEPARATOR = " > "
_BETWEEN_LEVELS = "\x1f"
"""Stands between levels while paths are told apart, since a level's name may hold PATH_SEPARATOR."""


def after_padding(values: NDArray, padding: object) -> NDArray:  # type: ignore[type-arg]
    """[n] -> [n + 1] with `padding` in front, in the dtype of `values`."""
    padded = np.empty(len(values) + 1, dtype=values.dtype)
    padded[0] = padding
    padded[1:] = values
    return padded


def coded(names: pl.Series) -> tuple[Vocabulary, NDArray[np.int32]]:
    """The distinct non-empty names, sorted, and int32 [n] codes of every row, 0 where it has none."""
    distinct = names.drop_nulls().unique().sort()
    distinct = distinct.filter(distinct != "")
    return Vocabulary(distinct), _places(names, distinct)


def category_codes(paths: pl.Series) -> tuple[Vocabulary, NDArray[np.int32], NDArray[np.int32]]:
    """Category paths as codes of their levels.

    Args:
        paths: lists of text [n], broadest level first; empty levels do not count.

    Returns:
        Every level's path, the finest ones included; int32 [n + 1, CATEGORY_LEVELS]; int32 [n + 1] of the finest path.
    """
    joined = _without_empty_levels(paths).list.join(_BETWEEN_LEVELS).fill_null("")
    distinct = joined.unique().sort()
    levels = [[part for part in path.split(_BETWEEN_LEVELS) if part] for path in distinct.to_list()]
    prefixes = [[PATH_SEPARATOR.join(path[: level + 1]) for level in range(len(path))] for path in levels]
    categories = Vocabulary.of(prefix for row in prefixes for prefix in row)
    cuts = [*range(CATEGORY_LEVELS), -1]
    by_path = np.array([categories.codes([_cut(row, cut) for row in prefixes]) for cut in cuts], dtype=np.int32).T
    by_item = after_padding_row(by_path[_places(joined, distinct) - 1])
    return categories, np.ascontiguousarray(by_item[:, :CATEGORY_LEVELS]), np.ascontiguousarray(by_item[:, -1])


def after_padding_row(codes: NDArray[np.int32]) -> NDArray[np.int32]:
    """[n, m] -> [n + 1, m] with zeros in front."""
    return np.concatenate([np.zeros((1, codes.shape[1]), dtype=np.int32), codes])


def _without_empty_levels(paths: pl.Series) -> pl.Series:
    has_empty = paths.explode(empty_as_null=False).is_in(["", None], nulls_equal=True).any() if len(paths) else False
    return paths.list.eval(pl.element().filter(pl.element() != "")) if has_empty else paths


def _cut(row: list[str], level: int) -> str | None:
    return row[min(level, len(row) - 1)] if row else None


def _places(names: pl.Series, distinct: pl.Series) -> NDArray[np.int32]:
    """int32 [n]: place of each name in the sorted `distinct`, from 1; 0 where it is not there."""
    known = pl.DataFrame({"name": distinct, "place": np.arange(1, len(distinct) + 1, dtype=np.int32)})
    found = names.to_frame("name").join(known, on="name", how="left", maintain_order="left")
    return found["place"].fill_null(0).to_numpy().astype(np.int32, copy=False)


__all__ = ["CATEGORY_LEVELS", "PATH_SEPARATOR", "ItemTable"]

_PURCHASES = ITEM_NUMERIC.index("purchases_90d")


@dataclass(frozen=True)
class ItemTable:
    """n items by index 1..n, sorted by item id; row 0 stands for padding and the unknown and is never available.

    Attributes:
        ids: item ids; code of an id is its item index.
        categories: category paths joined by " > ", every level and the finest path of every item.
        brands: brand names.
        families: ids of families, look-alikes that differ in size, colour or seller only; those of one item are left out.
        title: n + 1 texts; `titles` and `title_of` read them.
        category_codes: int32 [n + 1, CATEGORY_LEVELS], path cut at levels 1 to 3; shorter paths repeat their last.
        leaf_code: int32 [n + 1], code of the finest path: what user affinities are counted by.
        brand_code: int32 [n + 1].
        family_code: int32 [n + 1], 0 for an item that is like no other.
        price: float32 [n + 1], NaN when unknown.
        margin: float32 [n + 1], share of the price, NaN when unknown.
        available: bool [n + 1].
        created_at_s: int64 [n + 1], UTC epoch seconds; the smallest int64 when unknown.
        numeric: float32 [n + 1, len(ITEM_NUMERIC)], zeros where no features are known.
        revision: how many live updates the table has seen; 0 as the bundle brings it.
    """

    ids: Vocabulary
    categories: Vocabulary
    brands: Vocabulary
    families: Vocabulary
    title: TextColumn
    category_codes: NDArray[np.int32]
    leaf_code: NDArray[np.int32]
    brand_code: NDArray[np.int32]
    family_code: NDArray[np.int32]
    price: NDArray[np.float32]
    margin: NDArray[np.float32]
    available: NDArray[np.bool_]
    created_at_s: NDArray[np.int64]
    numeric: NDArray[np.float32]
    revision: int = 0

    def __len__(self) -> int:
        return len(self.ids)

    def indices_in(self, other: "ItemTable") -> NDArray[np.int32]:
        """int32 [n + 1]: another catalogue's index of each item, 0 where it has none."""
        return np.concatenate([np.zeros(1, dtype=np.int32), other.ids.codes(list(self.ids.names))])

    @classmethod
    def from_items(cls, items: pl.DataFrame) -> "ItemTable":
        """Build from rows of the canonical items table; numeric features start as zeros.

        Args:
            items: the columns of `endcap.contracts.item.Item` that have an attribute here; `margin` and `family_id` may be missing, as they
                are in bundles from before them.
        """
        if not items["item_id"].is_sorted():
            items = items.sort("item_id")
        categories, levels, leaf = category_codes(items["category_path"])
        brands, brand = coded(items["brand"])
        families, family = coded(_shared_families(items))
        created = items["created_at"].dt.epoch("s").fill_null(np.iinfo(np.int64).min).to_numpy()
        return cls(
            ids=Vocabulary(items["item_id"]),
            categories=categories,
            brands=brands,
            families=families,
            title=TextColumn.of(pl.concat([pl.Series("title", [""]), items["title"]])),
            category_codes=levels,
            leaf_code=leaf,
            brand_code=after_padding(brand, 0),
            family_code=after_padding(family, 0),
            price=_known_or_nan(items["price"]),
            margin=_known_or_nan(
                items["margin"] if "margin" in items.columns else pl.repeat(None, len(items), dtype=pl.Float64, eager=True)
            ),
            available=after_padding((items["availability"].cast(pl.String) == Availability.IN_STOCK.value).to_numpy(), False),
            created_at_s=after_padding(created.astype(np.int64), np.iinfo(np.int64).min),
            numeric=np.zeros((len(items) + 1, len(ITEM_NUMERIC)), dtype=np.float32),
        )

    def with_features(self, features: pl.DataFrame) -> "ItemTable":
        """The same catalogue with the numeric features of one moment.

        Args:
            features: one row an item, `item_id` and the columns of ITEM_NUMERIC; items that are missing keep zeros.
        """
        numeric = np.zeros_like(self.numeric)
        is_whole = TextColumn.of(features["item_id"]) == self.ids.names
        rows = slice(1, None) if is_whole else self.ids.codes(features["item_id"])
        for column, name in enumerate(ITEM_NUMERIC):
            numeric[rows, column] = features[name].to_numpy()
        numeric[0] = 0
        return replace(self, numeric=numeric)

    def known_before(self, moment: datetime) -> NDArray[np.bool_]:
        """bool [n + 1]: items that were in the catalogue before `moment`."""
        known = self.created_at_s < int(moment.timestamp())
        known[0] = False
        return known & self.available

    @cached_property
    def by_purchases(self) -> NDArray[np.int32]:
        """int32 [n]: every item, most purchases of the last 90 days first."""
        return (np.argsort(-self.numeric[1:, _PURCHASES], kind="stable") + 1).astype(np.int32)

    @cached_property
    def has_prices(self) -> bool:
        """Whether any item has a price; live updates may bring the first."""
        return not bool(np.isnan(self.price).all())

    @cached_property
    def has_categories(self) -> bool:
        """Whether any item has a category."""
        return len(self.categories) > 1

    @cached_property
    def has_brands(self) -> bool:
        """Whether any item has a brand."""
        return len(self.brands) > 1

    @cached_property
    def has_families(self) -> bool:
        """Whether any two items are of one family."""
        return len(self.families) > 1

    def title_of(self, index: int) -> str:
        return self.title[index]

    def titles(self, index: NDArray[np.integer]) -> list[str]:
        """Titles of int [m] item indices."""
        return self.title.take(index)


def _shared_families(items: pl.DataFrame) -> pl.Series:
    """The family of each item, null where no other item is of it."""
    if "family_id" not in items.columns:
        return pl.repeat(None, len(items), dtype=pl.String, eager=True)
    family = pl.col("family_id").cast(pl.String)
    return items.select(pl.when(family.is_duplicated()).then(family))["family_id"]


def _known_or_nan(column: pl.Series) -> NDArray[np.float32]:
    """float32 [n + 1]."""
    return after_padding(column.cast(pl.Float32).fill_null(float("nan")).to_numpy(), np.nan)
