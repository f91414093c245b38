"""The catalogue in memory: columns by item index, so that a request gathers rows instead of asking a store."""

from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.catalogue.vocabulary import Vocabulary
from endcap.contracts.item import Availability
from endcap.features.columns import ITEM_NUMERIC

CATEGORY_LEVELS = 3
PATH_SEPARATOR = " > "


@dataclass(frozen=True)
class ItemTable:
    """n items by index 1..n, sorted by item id; row 0 stands for padding and the unknown and is never available.

    Attributes:
        ids: item ids; code of an id is its item index.
        categories: category paths joined by " > ", every level and the finest path of every item.
        brands: brand names.
        title: str [n + 1].
        category_codes: int32 [n + 1, CATEGORY_LEVELS], path cut at levels 1 to 3; shorter paths repeat their last.
        leaf_code: int32 [n + 1], code of the finest path: what user affinities are counted by.
        brand_code: int32 [n + 1].
        price: float32 [n + 1], NaN when unknown.
        available: bool [n + 1].
        created_at_s: int64 [n + 1], UTC epoch seconds; the smallest int64 when unknown.
        numeric: float32 [n + 1, len(ITEM_NUMERIC)], zeros where no features are known.
    """

    ids: Vocabulary
    categories: Vocabulary
    brands: Vocabulary
    title: NDArray[np.str_]
    category_codes: NDArray[np.int32]
    leaf_code: NDArray[np.int32]
    brand_code: NDArray[np.int32]
    price: NDArray[np.float32]
    available: NDArray[np.bool_]
    created_at_s: NDArray[np.int64]
    numeric: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def from_items(cls, items: pl.DataFrame) -> "ItemTable":
        """Build from rows of the canonical items table; numeric features start as zeros."""
        items = items.sort("item_id")
        paths = [[part for part in path if part] for path in items["category_path"].to_list()]
        prefixes = [[PATH_SEPARATOR.join(path[: level + 1]) for level in range(len(path))] for path in paths]
        categories = Vocabulary.of(prefix for row in prefixes for prefix in row)
        brands = Vocabulary.of(items["brand"].to_list())
        codes = np.zeros((len(items) + 1, CATEGORY_LEVELS), dtype=np.int32)
        for level in range(CATEGORY_LEVELS):
            codes[1:, level] = categories.codes([row[min(level, len(row) - 1)] if row else None for row in prefixes])
        leaf = categories.codes([row[-1] if row else None for row in prefixes])
        created = items["created_at"].dt.epoch("s").fill_null(np.iinfo(np.int64).min).to_numpy()
        return cls(
            ids=Vocabulary(tuple(items["item_id"].to_list())),
            categories=categories,
            brands=brands,
            title=np.array(["", *items["title"].to_list()], dtype=np.str_),
            category_codes=codes,
            leaf_code=_after_padding(leaf, 0),
            brand_code=_after_padding(brands.codes(items["brand"].to_list()), 0),
            price=_after_padding(items["price"].fill_null(float("nan")).to_numpy().astype(np.float32), np.nan),
            available=_after_padding((items["availability"] == Availability.IN_STOCK.value).to_numpy(), False),
            created_at_s=_after_padding(created.astype(np.int64), np.iinfo(np.int64).min),
            numeric=np.zeros((len(items) + 1, len(ITEM_NUMERIC)), dtype=np.float32),
        )

    def with_features(self, features: pl.DataFrame) -> "ItemTable":
        """The same catalogue with the numeric features of one moment.

        Args:
            features: one row an item, `item_id` and the columns of ITEM_NUMERIC; items that are missing keep zeros.
        """
        numeric = np.zeros_like(self.numeric)
        index = self.ids.codes(features["item_id"].to_list())
        numeric[index] = features.select(ITEM_NUMERIC).to_numpy().astype(np.float32)
        numeric[0] = 0
        return replace(self, numeric=numeric)

    def known_before(self, moment: datetime) -> NDArray[np.bool_]:
        """bool [n + 1]: items that were in the catalogue before `moment`."""
        known = self.created_at_s < int(moment.timestamp())
        known[0] = False
        return known & self.available

    def leaf_name(self, index: int) -> str:
        return self.categories.name(int(self.leaf_code[index]))


def _after_padding(values: NDArray, padding: object) -> NDArray:  # type: ignore[type-arg]
    return np.concatenate([np.array([padding], dtype=values.dtype), values])
