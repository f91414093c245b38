"""Columns as SQLite and JSON have them: moments are microseconds, all else is what it is."""

from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl

MOMENT = pl.Datetime("us", "UTC")

_FLAT = (pl.String(), pl.Boolean(), MOMENT)


def require_flat(schema: pl.Schema, name: str) -> None:
    """Refuse what a table of SQLite cannot hold.

    Raises:
        TypeError: names the column; a function's schema is a programmer's.
    """
    for column, dtype in schema.items():
        if not (dtype in _FLAT or dtype.is_numeric()):
            raise TypeError(f"{name}.{column}: {dtype} is no column of state; use text, numbers, booleans and UTC moments in microseconds")


def plain(frame: pl.DataFrame) -> pl.DataFrame:
    """The same with moments as int64, microseconds since 1970."""
    return frame.with_columns(pl.selectors.datetime().dt.epoch("us"))


def as_tuples(frame: pl.DataFrame) -> list[tuple[Any, ...]]:
    """[n], a row each, as `executemany` takes them."""
    return plain(frame).rows()


def of_tuples(rows: Sequence[tuple[Any, ...]], schema: pl.Schema) -> pl.DataFrame:
    """The reverse of `as_tuples`."""
    stored = pl.Schema({name: pl.Int64() if dtype in (MOMENT, pl.Boolean()) else dtype for name, dtype in schema.items()})
    return pl.DataFrame(rows, schema=stored, orient="row").cast(schema)


def as_json(frame: pl.DataFrame, columns: Iterable[str]) -> pl.Series:
    """Text [n]: a JSON object a row."""
    return plain(frame.select(columns)).select(pl.struct(pl.all()).struct.json_encode()).to_series()


def of_json(texts: Sequence[str], schema: pl.Schema) -> pl.DataFrame:
    """The reverse of `as_json`."""
    stored = pl.Schema({name: pl.Int64() if dtype == MOMENT else dtype for name, dtype in schema.items()})
    decoded = pl.Series("row", texts, dtype=pl.String()).str.json_decode(pl.Struct(stored))
    return decoded.struct.unnest().cast(schema)
