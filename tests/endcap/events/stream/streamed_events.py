"""Events as the log has them, for the stream, and what it takes to run one."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import polars as pl

from endcap.core.key_files import new_key
from endcap.events.dead_letters.sealing import Seal
from endcap.events.log.reader import event_schema
from endcap.events.stream.delivery import Delivery
from endcap.events.stream.driver import Driver, DriverRules, Taken
from endcap.events.stream.following import Arrived
from endcap.events.stream.function import StreamFunction
from endcap.events.stream.subscription import Subscription

BEGIN = datetime(2026, 3, 1, 8, tzinfo=UTC)
SEAL = Seal([new_key()], "test")


def event(name: str, seconds: float, kind: str, session: str = "s", *, arrives: float | None = None, **fields: Any) -> dict[str, Any]:
    """One event so many seconds after BEGIN; its id is made of `name`."""
    happened = BEGIN + timedelta(seconds=seconds)
    return {
        **{"event_id": str(uuid5(NAMESPACE_OID, name)), "event_type": kind, "schema_version": 1, "session_id": session},
        **{"occurred_at": happened, "received_at": happened if arrives is None else BEGIN + timedelta(seconds=arrives)},
        **{"consent": True, "consent_analytics": True, **fields},
    }


def frame(events: Sequence[dict[str, Any]]) -> pl.DataFrame:
    """Columns of the contract."""
    return pl.DataFrame(list(events), schema=event_schema())


def arrived(events: Sequence[dict[str, Any]], *, is_behind: bool = False) -> Arrived:
    """As if the log had these."""
    return Arrived(frame(events), [], {}, [], is_behind)


class Collected:
    """A sink that keeps the newest row of each key, and may be away."""

    def __init__(self, key: Sequence[str]) -> None:
        self._key = key
        self.rows: dict[tuple[Any, ...], dict[str, Any]] = {}
        self.is_away = False
        self.deliveries = 0

    def deliver(self, rows: pl.DataFrame) -> None:
        if self.is_away:
            raise ConnectionError("away")
        self.deliveries += 1
        for row in rows.iter_rows(named=True):
            self.rows[tuple(row[name] for name in self._key)] = row


class Bench:
    """A driver with one function, whose state outlives it when it has a folder."""

    def __init__(self, function: StreamFunction, folder: Path | None = None, rules: DriverRules | None = None) -> None:
        self.function, self.sink = function, Collected(function.row_key)
        self.now = BEGIN
        self._folder, self._rules = folder, rules
        self.start()

    def start(self) -> None:
        subscriptions = [Subscription(self.function, self.sink)]
        self.driver = Driver(self._folder, subscriptions, SEAL, lambda: self.now, self._rules)
        self.delivery = Delivery(self.driver.outboxes, {self.function.name: self.sink})

    def restart(self) -> None:
        self.close()
        self.start()

    def close(self) -> None:
        self.delivery.close()
        self.driver.close()

    def take(self, *events: dict[str, Any], is_behind: bool = False) -> Taken:
        return self.driver.step(arrived(events, is_behind=is_behind))

    def delivered(self) -> dict[tuple[Any, ...], dict[str, Any]]:
        assert self.delivery.settle(30)
        return self.sink.rows
