"""Columns as SQLite and JSON have them: moments are microseconds, all else is what it is."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

MOMENT = pl.Datetime("us", "UTC")

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
"""Before any event."""

_FLAT = (pl.String(), pl.Boolean(), MOMENT)


def require_flat(schema: pl.Schema, name: str) -> None:
    """Refuse what a table of SQLite cannot hold.

    Raises:
        TypeError: names the column; a function's schema is a programmer's.
    """
    for column, dtype in schema.items():
        if not (dtype in _FLAT or dtype.is_numeric()):
            raise TypeError(f"{name}.{column}: {dtype} is no column of state; use text, numbers, booleans and UTC moments in microseconds")


def as_tuples(frame: pl.DataFrame) -> list[tuple[Any, ...]]:
    """[n], a row each, as `executemany` takes them."""
    return list(zip(*(_stored(column).to_list() for column in frame.iter_columns()), strict=True))


def of_tuples(rows: Sequence[tuple[Any, ...]], schema: pl.Schema) -> pl.DataFrame:
    """The reverse of `as_tuples`."""
    if not rows:
        return schema.to_frame()
    columns = zip(schema.items(), zip(*rows, strict=True), strict=True)
    return pl.DataFrame([_restored(name, values, dtype) for (name, dtype), values in columns])


def json_of(columns: Iterable[str], schema: pl.Schema) -> pl.Expr:
    """Text: these columns as a JSON object a row."""
    plain = [pl.col(name).dt.epoch("us") if schema[name] == MOMENT else pl.col(name) for name in columns]
    return pl.struct(plain).struct.json_encode()


def of_json(texts: Sequence[str], schema: pl.Schema) -> pl.DataFrame:
    """The reverse of `json_of` for all columns of a schema."""
    stored = pl.Schema({name: pl.Int64() if dtype == MOMENT else dtype for name, dtype in schema.items()})
    decoded = pl.Series("row", texts, dtype=pl.String()).str.json_decode(pl.Struct(stored))
    return decoded.struct.unnest().cast(schema)


def micros(moment: datetime) -> int:
    """A moment as it is stored."""
    return (moment - BEGINNING) // timedelta(microseconds=1)


def _stored(column: pl.Series) -> pl.Series:
    return column.to_physical() if isinstance(column.dtype, pl.Datetime) else column


def _restored(name: str, values: Sequence[Any], dtype: pl.DataType) -> pl.Series:
    stored = pl.Int64() if dtype in (MOMENT, pl.Boolean()) else dtype
    return pl.Series(name, values, dtype=stored).cast(dtype)
