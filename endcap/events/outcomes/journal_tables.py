"""Rows of the stream's functions as SQLite keeps them."""

import json
import sqlite3
from collections.abc import Sequence

import polars as pl

from endcap.events.outcomes.places import MOMENT
from endcap.events.stream.columns import as_tuples, of_tuples

_TYPES = {pl.String(): "TEXT", pl.Int64(): "INTEGER", pl.Float64(): "REAL", pl.Boolean(): "INTEGER", MOMENT: "INTEGER"}

_ROWS_AT_ONCE = 50_000
"""As tuples they take ten times what they take in columns."""


class JournalTable:
    """One table, a row a key; moments are microseconds since 1970.

    Args:
        sql: connection; who calls sees to transactions.
        name: of the table.
        schema: its columns: text, integers, floats, booleans, moments.
        key: columns by which a row takes the place of an earlier one.
        indices: columns that rows are looked for by.
    """

    def __init__(self, sql: sqlite3.Connection, name: str, schema: pl.Schema, key: Sequence[str], indices: Sequence[str] = ()) -> None:
        self._sql, self.name, self._schema = sql, name, schema
        columns = ", ".join(f'"{column}" {_TYPES[dtype]}' for column, dtype in schema.items())
        sql.execute(f'CREATE TABLE IF NOT EXISTS "{name}" ({columns}, PRIMARY KEY ({_names(key)})) WITHOUT ROWID')
        for column in indices:
            sql.execute(f'CREATE INDEX IF NOT EXISTS "{name}_by_{column}" ON "{name}" ("{column}")')

    def put(self, rows: pl.DataFrame) -> None:
        """Rows in the place of earlier ones of their key."""
        stored = as_tuples(rows.select(self._schema.names()))
        marks = ", ".join("?" * len(self._schema))
        self._sql.executemany(f'INSERT OR REPLACE INTO "{self.name}" VALUES ({marks})', stored)  # noqa: S608 - names are ours

    def rows(self, where: str = "TRUE", values: Sequence[object] = ()) -> pl.DataFrame:
        """Rows that satisfy a condition.

        Args:
            where: SQL over the columns, `?` for values.
            values: for the condition.
        """
        found = self._sql.execute(f'SELECT {_names(self._schema)} FROM "{self.name}" WHERE {where}', values)  # noqa: S608 - names are ours
        parts = [of_tuples([], self._schema)]
        while some := found.fetchmany(_ROWS_AT_ONCE):
            parts.append(of_tuples(some, self._schema))
        return pl.concat(parts)

    def rows_of(self, column: str, wanted: Sequence[str]) -> pl.DataFrame:
        """Rows whose column is one of these texts.

        Args:
            column: best one that has an index.
            wanted: any number of them.
        """
        return self.rows(f'"{column}" IN (SELECT value FROM json_each(?))', (json.dumps(wanted),))  # noqa: S608 - names are ours


def _names(columns: Sequence[str] | pl.Schema) -> str:
    return ", ".join(f'"{column}"' for column in columns)
