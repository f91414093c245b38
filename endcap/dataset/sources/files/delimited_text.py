"""Delimited text, line by line: rows, and every line that belongs to none.

A quote that is never closed would swallow the lines after it as one row. A record over several lines therefore has to be well formed, and
must not look like several rows; otherwise each of its lines counts as a refused row.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TextIO

import polars as pl
import pyarrow as pa

from endcap.core.errors import DataRejected
from endcap.dataset.sources.files.raw_batch import CELLS_MAX, RawBatch
from endcap.dataset.sources.files.source_files import SourceFiles
from endcap.dataset.sources.source import UnreadableRow

_STAND_IN = "\x1f"
"""Takes the place of separators of several signs, since the parser knows single ones only."""


def delimited_batches(stream: TextIO, name: str, form: SourceFiles, batch_rows: int) -> Iterator[RawBatch]:
    """Read a file from front to back, in bounded memory.

    Empty lines are no rows. A file with a header and nothing else gives one empty batch.

    Raises:
        DataRejected: there is no header, or it has a name twice.
        UnicodeDecodeError: the file is in another encoding.
    """
    lines = _Lines(stream, form.delimiter)
    records = _records(lines, form)
    names = form.header or _header(records, name)
    size = max(1, min(batch_rows, CELLS_MAX // len(names)))
    batch, number, is_first = _Rows(names), 0, True
    for record in records:
        number += batch.add(record, number)
        if len(batch.rows) >= size:
            yield batch.raw()
            batch, is_first = _Rows(names), False
    if is_first or batch.rows or batch.unreadable:
        yield batch.raw()


class _Record(NamedTuple):
    """One record: its values, the lines it stands on (until the next record is read), and why it cannot be a row, if it cannot."""

    values: list[str]
    lines: list[str]
    fault: str | None = None


@dataclass
class _Lines:
    """The file's lines on their way to the parser; `pending` are those of the record that is being read."""

    stream: TextIO
    delimiter: str
    pending: list[str] = field(default_factory=list)
    ended: bool = False

    def __iter__(self) -> Iterator[str]:
        several = len(self.delimiter) > 1
        for line in self.stream:
            self.pending.append(line)
            yield line.replace(self.delimiter, _STAND_IN) if several else line
        self.ended = True


def _records(lines: _Lines, form: SourceFiles) -> Iterator[_Record]:
    several = len(form.delimiter) > 1
    parser = csv.reader(lines, **_dialect(form))
    while True:
        lines.pending.clear()
        fault = None
        try:
            values = next(parser)
        except StopIteration:
            return
        except csv.Error:
            values, fault = [], f"a text is longer than {csv.field_size_limit():,} signs; is a quote before it never closed?"
        # Only a record whose quote is still open reads on to the end of the file.
        if fault is None and (lines.ended or len(lines.pending) > 1):
            fault = _fault_over_lines(lines, values, form)
        if fault is None and len(lines.pending) == 1 and not lines.pending[0].strip():
            continue
        if several:
            values = [value.replace(_STAND_IN, form.delimiter) for value in values]
        yield _Record(values, lines.pending, fault)


def _dialect(form: SourceFiles) -> dict[str, Any]:
    return {
        "delimiter": _STAND_IN if len(form.delimiter) > 1 else form.delimiter,
        "quotechar": None if form.quote == "none" else form.quote,
        "quoting": csv.QUOTE_NONE if form.quote == "none" else csv.QUOTE_MINIMAL,
        "escapechar": form.escape,
    }


def _fault_over_lines(lines: _Lines, values: Sequence[str], form: SourceFiles) -> str | None:
    """Why lines that the parser took as one record are none: a quote was left open."""
    never_closed = "a quote is opened and closed nowhere it could be; close it, or set quote: none"
    whole = [line.replace(form.delimiter, _STAND_IN) for line in lines.pending] if len(form.delimiter) > 1 else lines.pending
    try:
        next(csv.reader(iter(whole), strict=True, **_dialect(form)))
    except csv.Error:
        return never_closed
    separators = len(values) - 1
    like_rows = all(line.count(form.delimiter) == separators for line in lines.pending)
    return never_closed if like_rows and separators >= 2 and len(lines.pending) + separators >= 5 else None


def _header(records: Iterator[_Record], file: str) -> list[str]:
    first = next(records, None)
    if first is None:
        raise DataRejected("the file is empty", field=file, fix="export it again, or leave it out of the mapping")
    if first.fault:
        raise DataRejected(f"the header cannot be read: {first.fault}", field=file)
    names = [name.strip() for name in first.values]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataRejected(f"the header has {', '.join(twice)} more than once", field=file, fix="give every column its own name")
    return names


@dataclass
class _Rows:
    """Rows that wait for their batch."""

    names: list[str]
    rows: list[list[str]] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    unreadable: list[UnreadableRow] = field(default_factory=list)

    def add(self, record: _Record, before: int) -> int:
        """Take a record after `before` rows of the file; how many rows it counts as: one, or each of its lines where it is none."""
        if record.fault is None and len(record.values) == len(self.names):
            self.rows.append(record.values)
            self.numbers.append(before + 1)
            return 1
        reason = record.fault or f"has {len(record.values)} columns, the header {len(self.names)}"
        lost = [line for line in record.lines if line.strip()]
        if len(lost) > 1:
            reason = f"lost with row {before + 1}: {reason}"
        self.unreadable += [UnreadableRow(before + place, reason, line.rstrip("\r\n")) for place, line in enumerate(lost, 1)]
        return len(lost)

    def raw(self) -> RawBatch:
        columns = list(zip(*self.rows, strict=True)) or [()] * len(self.names)
        frame = pl.DataFrame([pl.Series(name, values, dtype=pl.String) for name, values in zip(self.names, columns, strict=True)])
        return RawBatch(frame, pa.array(self.numbers, pa.int64()), tuple(self.unreadable))
