"""Rows of one function that its sink does not have yet, the newest of each key."""

import sqlite3
from dataclasses import dataclass

import polars as pl

from endcap.events.stream.columns import json_of, of_json

_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Parcel:
    """Rows that are delivered together.

    Attributes:
        rows: of whole steps, the oldest first.
        number: of the newest of these steps.
    """

    rows: pl.DataFrame
    number: int


class Outbox:
    """A table within the stream's state; what is put there is in the transaction of whoever puts it.

    Args:
        sql: connection to the state.
        name: of the function.
        schema: columns of its rows.
        row_key: columns by which a row takes the place of an earlier one.
    """

    def __init__(self, sql: sqlite3.Connection, name: str, schema: pl.Schema, row_key: tuple[str, ...]) -> None:
        self._sql, self._table = sql, f'"outbox_{name}"'
        self._schema, self._row_key = schema, row_key
        sql.execute(f"CREATE TABLE IF NOT EXISTS {self._table} (row_key TEXT PRIMARY KEY, number INTEGER NOT NULL, content TEXT NOT NULL)")
        sql.execute(f'CREATE INDEX IF NOT EXISTS "outbox_{name}_by_number" ON {self._table} (number)')

    def nothing(self) -> pl.DataFrame:
        """No rows."""
        return self._schema.to_frame()

    def put(self, rows: pl.DataFrame, number: int) -> None:
        """Rows of one step; of several of one key the last stays.

        Args:
            rows: columns of the schema.
            number: of the step, above those before.
        """
        if rows.is_empty():
            return
        last = rows.lazy().unique(self._row_key, keep="last", maintain_order=True)
        parts = last.select(
            json_of(self._row_key, self._schema).alias("key"), pl.lit(number), json_of(self._schema, self._schema).alias("content")
        ).collect()
        self._sql.executemany(f"INSERT OR REPLACE INTO {self._table} VALUES (?, ?, ?)", parts.rows())  # noqa: S608

    def parcel(self) -> Parcel | None:
        """The oldest rows that wait; None when none does."""
        among = f"SELECT number FROM {self._table} ORDER BY number LIMIT {_AT_ONCE}"  # noqa: S608
        newest = self._sql.execute(f"SELECT max(number) FROM ({among})").fetchone()[0]  # noqa: S608
        if newest is None:
            return None
        found = self._sql.execute(f"SELECT content FROM {self._table} WHERE number <= ? ORDER BY number, rowid", (newest,))  # noqa: S608
        return Parcel(of_json([row[0] for row in found], self._schema), newest)

    def remove(self, parcel: Parcel) -> None:
        """The sink has these; rows that took their place since stay."""
        self._sql.execute(f"DELETE FROM {self._table} WHERE number <= ?", (parcel.number,))  # noqa: S608

    def waiting(self) -> int:
        """How many rows wait."""
        return int(self._sql.execute(f"SELECT count(*) FROM {self._table}").fetchone()[0])  # noqa: S608

    def newest_number(self) -> int:
        """Of the step whose rows wait and that is the newest; 0 when none waits."""
        return int(self._sql.execute(f"SELECT coalesce(max(number), 0) FROM {self._table}").fetchone()[0])  # noqa: S608
