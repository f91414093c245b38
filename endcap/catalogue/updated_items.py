"""The item table with live updates, as a copy: requests that hold the earlier table go on with it, whole and unchanged."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.catalogue.item_table import ItemTable
from endcap.catalogue.item_updates import REASON, conformed, known_after, with_reasons
from endcap.contracts.item import Availability
from endcap.features.columns import ITEM_NUMERIC

Scalar = TypeVar("Scalar", bound=np.generic)

Pause = Callable[[], None]
"""Called between two small pieces of work, so that a thread which answers requests never waits long for its turn."""

_ROWS_AT_ONCE = 2_048
_COPIED_AT_ONCE = 16_384
_NUMERIC = ("purchases_7d", "trend", "display_share", "mailer_share")
"""Columns of `numeric` that rows have values for; `trend` follows `purchases_7d`, so that one that is given holds."""
_VALUES = ("price", "margin", *_NUMERIC)
_COLUMN = {name: place for place, name in enumerate(ITEM_NUMERIC)}


@dataclass(frozen=True)
class UpdateReport:
    """What became of the rows of one file.

    Attributes:
        applied: rows that were taken.
        unknown: rows of items that the catalogue does not know.
        outdated: rows from before the catalogue's own moment.
        refused: counts of refused rows by reason.
    """

    applied: int
    unknown: int
    outdated: int
    refused: Mapping[str, int]


def apply_updates(
    table: ItemTable, updates: pl.DataFrame, *, newer_than: datetime | None = None, pause: Pause = lambda: None
) -> tuple[ItemTable, UpdateReport]:
    """The table with updates, its revision one higher. Only columns that change are copied; all else is shared with `table`.

    A new price also moves `price` and `price_to_category` of `numeric`, the latter as if the category's mean had stayed. Row-major
    `numeric` is copied whole even for one item: requests gather 1,000 rows of it, 14 values each, which is one cache line a row, against
    fourteen in separate columns.

    Args:
        table: as the bundle brings it.
        updates: columns of `endcap.contracts.item_update.ItemUpdate`; a null leaves the table's value. Rows that break the contract
            are left out and counted.
        newer_than: rows up to this moment are left out: the table knows better.
        pause: see `Pause`.

    Raises:
        DataRejected: a column is missing, unknown or of another type.
    """
    judged = with_reasons(conformed(updates))
    refused = judged.filter(pl.col(REASON).is_not_null())[REASON].value_counts()
    good = judged.filter(pl.col(REASON).is_null())
    fresh = good if newer_than is None else good.filter(known_after(newer_than))
    in_stock = (pl.col("availability") == Availability.IN_STOCK.value).alias("availability")
    rows = fresh.sort("updated_at", maintain_order=True).select("item_id", in_stock, *_VALUES)
    draft, applied = _Draft(table, rows, pause), 0
    for part in rows.iter_slices(_ROWS_AT_ONCE):
        index = table.ids.codes(part["item_id"].to_list())
        pause()
        draft.write(part, index)
        applied += int(np.count_nonzero(index))
    report = UpdateReport(applied, unknown=len(fresh) - applied, outdated=len(good) - len(fresh), refused=dict(refused.iter_rows()))
    return draft.finished(), report


class _Draft:
    """Copies of the columns that change, written to piece by piece, oldest rows first: of several rows of an item the last one holds."""

    def __init__(self, table: ItemTable, rows: pl.DataFrame, pause: Pause) -> None:
        given = {name for name in rows.columns if rows[name].null_count() < len(rows)}
        self._table = table
        self._pause = pause
        self._price = self._copied(table.price) if "price" in given else table.price
        self._margin = self._copied(table.margin) if "margin" in given else table.margin
        self._available = self._copied(table.available) if "availability" in given else table.available
        self._numeric = self._copied(table.numeric) if given & {"price", *_NUMERIC} else table.numeric

    def write(self, rows: pl.DataFrame, index: NDArray[np.int32]) -> None:
        """Put in the values of some rows whose items are `index`; 0 for an item that the catalogue does not know."""
        writers: dict[str, Callable[[NDArray[np.int32], NDArray[np.float32]], None]] = {
            "availability": self._write_available,
            "price": self._write_price,
            "margin": self._write_margin,
            **{name: partial(self._write_numeric, name) for name in _NUMERIC},
            "purchases_7d": self._write_purchases,
        }
        for name, write in writers.items():
            column = rows[name]
            if column.null_count() == len(column):
                continue
            given = column.is_not_null().to_numpy() & (index > 0)
            write(index[given], column.fill_null(0).cast(pl.Float32).to_numpy()[given])
            self._pause()

    def finished(self) -> ItemTable:
        return replace(
            self._table,
            price=self._price,
            margin=self._margin,
            available=self._available,
            numeric=self._numeric,
            revision=self._table.revision + 1,
        )

    def _write_available(self, index: NDArray[np.int32], values: NDArray[np.float32]) -> None:
        self._available[index] = values > 0

    def _write_margin(self, index: NDArray[np.int32], values: NDArray[np.float32]) -> None:
        self._margin[index] = values

    def _write_price(self, index: NDArray[np.int32], values: NDArray[np.float32]) -> None:
        self._price[index] = values
        before, ratio = (self._table.numeric[index, _COLUMN[name]] for name in ("price", "price_to_category"))
        known = (values > 0) & (before > 0)
        # 1 where a price is unknown, as the item feature says
        self._write_numeric("price_to_category", index, np.where(known, ratio * values / np.where(known, before, 1), 1))
        self._write_numeric("price", index, values)

    def _write_purchases(self, index: NDArray[np.int32], values: NDArray[np.float32]) -> None:
        self._write_numeric("purchases_7d", index, values)
        self._write_numeric("trend", index, np.log((values + 1) / (self._numeric[index, _COLUMN["purchases_28d"]] / 4 + 1)))

    def _write_numeric(self, name: str, index: NDArray[np.int32], values: NDArray[np.floating]) -> None:
        self._numeric[index, _COLUMN[name]] = values

    def _copied(self, column: NDArray[Scalar]) -> NDArray[Scalar]:
        copy = np.empty_like(column)
        for start in range(0, len(column), _COPIED_AT_ONCE):
            copy[start : start + _COPIED_AT_ONCE] = column[start : start + _COPIED_AT_ONCE]
            self._pause()
        return copy
