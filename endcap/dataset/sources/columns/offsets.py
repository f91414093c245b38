"""Moments whose last source column counts from what the others say, for example milliseconds since midnight."""

from typing import Literal

import polars as pl

from endcap.dataset.sources.columns.reading import Fault, Reading, only_where

OffsetUnit = Literal["s", "ms"]
_MICROSECONDS = {"s": 1_000_000, "ms": 1000}


def moved(reading: Reading, offset: pl.Series, unit: OffsetUnit) -> Reading:
    """Moments later by an offset, numbers or texts in `unit`; a missing one is 0, and what is no number is a fault."""
    number = offset.cast(pl.Float64, strict=False)
    wrong = offset.is_not_null() & number.is_null()
    later = (number.fill_null(0) * _MICROSECONDS[unit]).round().cast(pl.Int64).cast(pl.Duration("us"))
    return Reading(only_where(~wrong, reading.values + later), (*reading.faults, Fault(wrong, f"its offset is no number of {unit}")))
