"""One column as it was read, and the rows whose value could not be.

Columns are read a step at a time: expressions that share a step would work it out once for each of them.
"""

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Fault:
    """Rows whose value is refused ([rows] Boolean), and why: the same for all, or a text a row."""

    rows: pl.Series
    reason: str | pl.Series


@dataclass(frozen=True)
class Reading:
    """One column's values, null where there are none or they are refused, and its faults."""

    values: pl.Series
    faults: tuple[Fault, ...] = ()


def only_where(rows: pl.Series, values: pl.Series) -> pl.Series:
    """The values of some rows; null elsewhere, also where `rows` is null."""
    return pl.select(pl.when(rows).then(values)).to_series()


def first_of(*columns: pl.Series) -> pl.Series:
    """For each row the first value that is not null."""
    return pl.select(pl.coalesce(columns)).to_series()


def repeated(value: object, dtype: pl.DataType, rows: int) -> pl.Series:
    """One value for every row."""
    return pl.Series([value], dtype=dtype).new_from_index(0, rows)
