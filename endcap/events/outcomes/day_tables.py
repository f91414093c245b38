"""Outcome tables: one Parquet file a day on which something was shown."""

from collections import deque
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from endcap.contracts.outcome import outcome_schema
from endcap.core.files import replacing_file
from endcap.core.parquet_file import read_parquet_checked
from endcap.events.outcomes.journal_store import JournalStore
from endcap.events.outcomes.resolution import Journal, outcomes_of

_SUFFIX = ".parquet"


def written_day(folder: Path, day: date, parts: Iterable[Journal]) -> Iterator[Journal]:
    """Make the day's table anew, part by part; a reader finds the earlier one or, once all parts are taken, this one.

    Args:
        folder: of the tables.
        day: UTC.
        parts: what is known of the day; each list in one of them.

    Yields: each part when it is written.
    """
    with replacing_file(folder / f"{day.isoformat()}{_SUFFIX}") as aside:
        empty = pl.DataFrame(schema=outcome_schema()).to_arrow()
        with pq.ParquetWriter(aside, empty.schema, compression="zstd") as file:
            for part in parts:
                file.write_table(outcomes_of(part).to_arrow())
                yield part


def write_journal(folder: Path, journal: Journal) -> list[date]:
    """Make the tables of all days that something was shown on."""
    days = journal.places.with_columns(day=pl.col("shown_at").dt.date()).partition_by("day", as_dict=True, include_key=False)
    for (day,), places in days.items():
        deque(written_day(folder, day, [Journal(places, journal.touches, journal.orders)]), maxlen=0)
    return [day for (day,) in days]


def changed_days_written(folder: Path, store: JournalStore) -> Iterator[tuple[date, Iterator[Journal]]]:
    """Make the tables of the days whose outcomes changed, and give each day with what is known of it, an hour after the other.

    A day that changes meanwhile, or that the caller does not come to the end with, is made again next time.
    """
    for day, changes in store.changed_days().items():
        hours = written_day(folder, day, store.hours_of(day))
        yield day, hours
        deque(hours, maxlen=0)
        store.written(day, changes)


def read_outcomes(folder: Path, first: date | None = None, last: date | None = None) -> pl.DataFrame:
    """Rows of the contract `Outcome` of some days (UTC), both ends included; no folder is no outcomes.

    Raises:
        DataRejected: a file is not readable or lacks a column.
    """
    schema = outcome_schema()
    frames = [pl.DataFrame(schema=schema)]
    for file in sorted(folder.glob(f"*{_SUFFIX}")):
        day = date.fromisoformat(file.name.removesuffix(_SUFFIX))
        if (first is None or day >= first) and (last is None or day <= last):
            found = read_parquet_checked(file, columns=schema.names(), fix="remove the file: the stream writes it again when it changes")
            frames.append(found.select(schema.names()).cast(schema))
    return pl.concat(frames)
