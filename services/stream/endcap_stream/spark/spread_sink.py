"""A sink that may have several writers: executors write its rows when there are many."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from endcap.events.stream.subscription import Sink
from endcap_stream.spark.storage.packs import Pack, packed

if TYPE_CHECKING:
    from pyspark import SparkContext

ROWS_A_TASK = 200
"""Fewer are not worth a task of their own."""

_ROWS = "rows"


@dataclass(frozen=True, slots=True)
class SpreadSink:
    """Hands rows to sinks that are opened where the tasks run; few rows go by the sink that is open here.

    Attributes:
        context: Spark's.
        here: takes few rows.
        opened: opens such a sink; sent to the executors.
        tasks: at most so many at once.
    """

    context: "SparkContext"
    here: Sink
    opened: Callable[[], Sink]
    tasks: int

    def deliver(self, rows: pl.DataFrame) -> None:
        """Take rows; see `Sink`. A task that fails makes all of them wait."""
        if len(rows) <= ROWS_A_TASK:
            self.here.deliver(rows)
            return
        count = min(self.tasks, -(-len(rows) // ROWS_A_TASK))
        parts = [packed({_ROWS: part}) for part in rows.iter_slices(-(-len(rows) // count))]
        opened = self.opened

        def write(content: bytes) -> None:
            table = Pack(content).table(_ROWS)
            if table is not None:
                opened().deliver(table)

        self.context.parallelize(parts, len(parts)).foreach(write)
