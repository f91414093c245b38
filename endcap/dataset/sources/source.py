"""What an import reads: tables as batches of rows in canonical columns, each row with its place in the file it came from."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import polars as pl
import pyarrow as pa

BATCH_ROWS = 250_000
"""Rows judged at once: enough for columnar speed, few enough for memory."""

PROBLEM_SCHEMA = pl.Schema({"place": pl.UInt32, "column": pl.String, "reason": pl.String})
"""One line a problem: the row's place in its batch (from 0), the column, and what is wrong with it."""


@dataclass(frozen=True)
class UnreadableRow:
    """A row that has no columns to speak of, such as a CSV line with too many fields."""

    row_number: int
    reason: str
    text: str


@dataclass(frozen=True)
class Batch:
    """Some rows of one table.

    Attributes:
        rows: the columns of the contract, in its order and types.
        row_numbers: [rows] int64, each row's place in its source file, from 1; a header line does not count.
        file: the source file's name.
        problems: as `PROBLEM_SCHEMA`, values that could not be read into their column's type; such rows are refused.
        originals: the rows as they stood in the source, for the refused ones; None when `rows` says it all.
        unreadable: rows of the source that are not among `rows` at all.
        named: whether the source's own values name the rows; else their place does, and equal rows are different ones.
        merged: rows of the source beyond `rows`, where several make one; they count as good.
        copies: rows of the source that were left out as copies already.
        left_out: rows of the source that the mapping's `where` says are not the table's.
    """

    rows: pa.Table
    row_numbers: pa.Array
    file: str
    problems: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=PROBLEM_SCHEMA))
    originals: pl.DataFrame | None = None
    unreadable: Sequence[UnreadableRow] = ()
    named: bool = True
    merged: int = 0
    copies: int = 0
    left_out: int = 0


@dataclass(frozen=True)
class TableSource:
    """One table to import. `rows` is how many there will be, if known, for the progress bar."""

    table: str
    rows: int | None
    batches: Callable[[], Iterator[Batch]]


class Watch(Protocol):
    """Told how an import goes on; the command line draws a bar a table from it."""

    def __call__(self, table: str, rows_done: int, rows: int | None) -> None: ...


def watch_nothing(table: str, rows_done: int, rows: int | None) -> None:
    """For callers that show no progress."""
