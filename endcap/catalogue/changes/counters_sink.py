"""Where item counters go: into the item table of the servers, and into the live trending table."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import polars as pl

from endcap.catalogue.changes.counter_updates import ServedCounts, counter_updates
from endcap.catalogue.changes.trend_file import TRENDS_FILE, trends_of, write_trends
from endcap.catalogue.item_updates import UPDATES_FILE, alone, joined_updates
from endcap.core.clock import Clock
from endcap.core.files import replacing_file
from endcap.core.parquet_file import read_rows_checked
from endcap.events.stream.item_counters import COUNTS_SCHEMA

COUNTERS_FILE = "item_counters.parquet"
"""All counts that are not zero; what the two others are made from."""

_FIX = "stop the stream, remove the file and the stream's state, and start it again"


class ItemCountersSink:
    """Keeps the files of the live folder as rows of `ItemCounters` say. Rows that come again change nothing.

    Each delivery writes all three files, and servers take each one up: deliver what gathers in a second or more, not each row.

    Args:
        live_dir: the live folder.
        served: what the served bundle counted; None before there is one.
        since: when the event log begins, UTC.
        clock: the present, UTC.
    """

    def __init__(self, live_dir: Path, served: Callable[[], ServedCounts | None], since: datetime, clock: Clock) -> None:
        self._folder = live_dir
        self._served = served
        self._since = since
        self._clock = clock

    def deliver(self, rows: pl.DataFrame) -> None:
        """Take rows.

        Args:
            rows: COUNTS_SCHEMA.

        Raises:
            DataRejected: a file that is there cannot be read.
            BundleInvalid: the served bundle cannot be read.
            OSError: the disk refused.
        """
        counters = self._folder / COUNTERS_FILE
        with alone(counters):
            counts = pl.concat([read_rows_checked(counters, COUNTS_SCHEMA, fix=_FIX), rows]).unique(
                ["item_id", "region"], keep="last", maintain_order=True
            )
            if counts.is_empty():
                return
            self._write(counts)
            # What fell to zero was said just now, and needs no place any more.
            with replacing_file(counters) as aside:
                counts.filter(pl.col("purchases_35d") > 0).write_parquet(aside)

    def _write(self, counts: pl.DataFrame) -> None:
        updates = counter_updates(counts, self._served(), self._since, self._clock())
        path = self._folder / UPDATES_FILE
        with alone(path):
            joined_updates(path, updates)
        write_trends(self._folder / TRENDS_FILE, trends_of(counts))
