"""Item columns of a catalogue as polars series, some rows at a time."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.catalogue.item_table import CATEGORY_LEVELS, ItemTable
from endcap.catalogue.text_column import TextColumn
from endcap.catalogue.vocabulary import Vocabulary
from endcap.contracts.moment import DAY_S
from endcap.features.columns import ITEM_NUMERIC

UNKNOWN_MOMENT = np.iinfo(np.int64).min

Rows = slice | NDArray[np.int32]


@dataclass(frozen=True)
class ItemValues:
    """What rules read of the catalogue.

    Attributes:
        items: the catalogue.
        now_s: the moment that ages are counted to, UTC epoch seconds.
        brands, categories: names by code, null for the unknown.
    """

    items: ItemTable
    now_s: int
    brands: pl.Series
    categories: pl.Series

    @classmethod
    def of(cls, items: ItemTable, now_s: int) -> "ItemValues":
        return cls(items, now_s, _names(items.brands), _names(items.categories))

    def updated(self, items: ItemTable, now_s: int) -> "ItemValues":
        """The same for another state of the catalogue; names that did not change are kept."""
        if items is self.items and now_s == self.now_s:
            return self
        if items.brands is self.items.brands and items.categories is self.items.categories:
            return replace(self, items=items, now_s=now_s)
        return ItemValues.of(items, now_s)

    def frame(self, names: Iterable[str], rows: Rows) -> pl.DataFrame:
        """Columns by name of some item indices; what is unknown is null."""
        return pl.DataFrame([self.series(name, rows) for name in names])

    def series(self, name: str, rows: Rows) -> pl.Series:
        items = self.items
        if (coded := self.coded(name)) is not None:
            names, codes = coded
            return names.gather(codes[rows]).alias(name)
        if name == "item_id":
            return _texts(name, items.ids.names, _before(rows))
        if name == "title":
            return _texts(name, items.title, rows)
        if name == "age_days":
            return _age_days(items.created_at_s[rows], self.now_s)
        if name in ("price", "margin", "available"):
            return pl.Series(name, getattr(items, name)[rows], nan_to_null=True)
        return pl.Series(name, np.ascontiguousarray(items.numeric[rows, ITEM_NUMERIC.index(name)]), nan_to_null=True)

    def coded(self, name: str) -> tuple[pl.Series, NDArray[np.int32]] | None:
        """A column that is stored as codes: its names by code, and int32 [n + 1]; None for the others."""
        if name == "brand":
            return self.brands, self.items.brand_code
        if name == "category":
            return self.categories, self.items.leaf_code
        if name in _LEVELS:
            return self.categories, self.items.category_codes[:, _LEVELS[name]]
        return None

    def same(self, name: str, other: "ItemValues") -> bool:
        """Whether a column surely holds the same values in both, told by the arrays it is made from."""
        if name == "age_days":
            return self.now_s == other.now_s and self.items.created_at_s is other.items.created_at_s
        stored = {"item_id": "ids", "title": "title", "brand": "brand_code", "category": "leaf_code"}
        attribute = stored.get(name, "category_codes" if name in _LEVELS else name if name in _OWN else "numeric")
        return getattr(self.items, attribute) is getattr(other.items, attribute)


_OWN = ("price", "margin", "available")
_LEVELS = {f"category_{level + 1}": level for level in range(CATEGORY_LEVELS)}


def _names(vocabulary: Vocabulary) -> pl.Series:
    return pl.Series([None, *vocabulary.names], dtype=pl.String)


def _before(rows: Rows) -> Rows:
    """Places of item indices among the ids, which have no row for the padding; index 0 becomes -1."""
    return slice(rows.start - 1, rows.stop - 1) if isinstance(rows, slice) else rows - 1


def _texts(name: str, texts: TextColumn, rows: Rows) -> pl.Series:
    if isinstance(rows, slice):
        missing = max(0, -rows.start)
        return pl.Series(name, [None] * missing + texts[rows.start + missing : rows.stop], dtype=pl.String)
    found = texts.take(np.maximum(rows, 0))
    return pl.Series(name, [text if row >= 0 else None for text, row in zip(found, rows.tolist(), strict=True)], dtype=pl.String)


def _age_days(created_at_s: NDArray[np.int64], now_s: int) -> pl.Series:
    known = created_at_s != UNKNOWN_MOMENT
    days = np.floor_divide(now_s - np.where(known, created_at_s, now_s), DAY_S)
    return pl.Series("age_days", np.clip(days, -(10**6), 10**6).astype(np.int32)).set(pl.Series(~known), None)
