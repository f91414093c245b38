"""The same batches through the stream on Spark and through the in-process driver."""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from endcap.contracts.signals import Signals
from endcap.events.outcomes.whole_log import outcome_functions
from endcap.events.outcomes.windows import Windows
from endcap.events.probes.session_row import session_row
from endcap.events.stream.delivery import Delivery
from endcap.events.stream.driver import Driver, Taken
from endcap.events.stream.following import Arrived, FoundLine
from endcap.events.stream.function import StreamFunction
from endcap.events.stream.item_counters import ItemCounters
from endcap.events.stream.lines import LINE, read_lines
from endcap.events.stream.recent_items import RecentItems
from endcap.events.stream.sessions import Sessions
from endcap.events.stream.subscription import NeededConsent, Subscription
from endcap_stream.spark.batch_run import BatchLimits, BatchRun
from endcap_stream.spark.stages.work import Listener, Work
from endcap_stream.spark.storage.batch_record import BatchRecord, BatchRecords
from endcap_stream.spark.storage.packs import Pack
from endcap_stream.spark.storage.state_folder import StateFolder
from tests.endcap.events.stream.streamed_events import SEAL, Collected

QUERY = "4f6b"
BUCKETS = 3
PARTITIONS = 3
Rows = dict[tuple[Any, ...], dict[str, Any]]


def all_functions() -> Sequence[tuple[StreamFunction, NeededConsent]]:
    """Every function that the stream runs."""
    regions = pl.DataFrame({"user_id": ["u1", "u2"], "region": ["north", "south"]})
    return [
        (Sessions(), NeededConsent.PERSONALISATION),
        (RecentItems(Signals()), NeededConsent.NONE),
        *((function, NeededConsent.NONE) for function in outcome_functions(Windows())),
        (ItemCounters(regions), NeededConsent.NONE),
    ]


def line_of(event: dict[str, Any]) -> bytes:
    """An event as a value of a topic."""
    told = {name: f"{value:%Y-%m-%dT%H:%M:%S.%fZ}" if isinstance(value, datetime) else value for name, value in event.items()}
    return json.dumps({name: value for name, value in told.items() if value is not None}).encode()


class InProcess:
    """The in-process driver, started anew for each batch."""

    def __init__(self, folder: Path, functions: Sequence[tuple[StreamFunction, NeededConsent]]) -> None:
        self._folder, self._functions = folder, functions
        self.sinks = {function.name: Collected(function.row_key) for function, _ in functions}

    def take(self, lines: Sequence[bytes], now: datetime) -> Taken:
        subscriptions = [Subscription(function, self.sinks[function.name], consent) for function, consent in self._functions]
        driver = Driver(self._folder, subscriptions, SEAL, lambda: now)
        read = read_lines(lines, now)
        events = read.events.sort("received_at", maintain_order=True).drop(LINE)
        broken = [FoundLine("file", place, line) for place, line in enumerate(read.broken)]
        taken = driver.step(Arrived(events, broken, {}, [], is_behind=False))
        delivery = Delivery({name: driver.outboxes[name] for name in self.sinks}, self.sinks)
        assert delivery.settle(30)
        delivery.close()
        driver.close()
        return taken

    def rows(self, name: str) -> Rows:
        return self.sinks[name].rows


class OnSpark:
    """The stream on Spark, started anew for each batch.

    Attributes:
        driver_records_max: of a batch that the driver computes.
    """

    def __init__(
        self, session: Any, folder: Path, functions: Sequence[tuple[StreamFunction, NeededConsent]], driver_records_max: int = 0
    ) -> None:
        self._session, self.folder = session, StateFolder(str(folder))
        self._functions, self.driver_records_max = functions, driver_records_max
        self.sinks = {function.name: Collected(function.row_key) for function, _ in functions}
        self.number = 0

    def run(self, lines: Sequence[bytes], now: datetime, number: int) -> BatchRecord:
        """Do a batch without delivering its rows."""
        return self.run_values(self.values(lines), now, number)

    def run_values(self, values: Any, now: datetime, number: int) -> BatchRecord:
        """Do a batch of what Spark hands over."""
        work = Work([Listener(function, consent) for function, consent in self._functions], self.folder, BUCKETS, SEAL)
        limits = BatchLimits(1_000_000, self.driver_records_max)
        records = BatchRecords(self.folder, QUERY, BUCKETS)
        run = BatchRun(self._session, work, records, lambda: now, limits, {Sessions.name: session_row})
        return run.run(number, values)

    def take(self, lines: Sequence[bytes], now: datetime) -> BatchRecord:
        """Do the next batch and deliver its rows."""
        record = self.run(lines, now, self.number)
        self.number += 1
        for name, sink in self.sinks.items():
            rows = self.rows_of(record, name)
            if rows is not None:
                sink.deliver(rows)
        return record

    def rows_of(self, record: BatchRecord, name: str) -> pl.DataFrame | None:
        content = self.folder.read(record.rows_name)
        return None if content is None else Pack(content).table(name)

    def rows(self, name: str) -> Rows:
        return self.sinks[name].rows

    def values(self, lines: Sequence[bytes]) -> Any:
        """As Kafka's source has them, with a tick."""
        rows = [("t", place % PARTITIONS, place, line) for place, line in enumerate(lines)]
        schema = "topic string, partition int, offset bigint, value binary"
        ticks = self._session.createDataFrame([(None, None, None, None)], schema)
        return self._session.createDataFrame(rows, schema).unionByName(ticks.coalesce(1))
