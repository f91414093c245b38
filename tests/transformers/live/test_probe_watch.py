"""Probes seen from where requests read visits, beside requests."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from endcap.contracts.probe import ONLINE_ID
from endcap.core.errors import DependencyUnavailable
from endcap.events.probes.session_row import session_row
from endcap_transformer.live.probe_watch import watch_probes
from endcap_transformer.telemetry.metrics import ServingMetrics
from tests.waiting import until_async

BEGIN = datetime(2026, 3, 1, 8, tzinfo=UTC)


class Store:
    """An online store with the row of one probe, that may be away."""

    def __init__(self) -> None:
        self.made_at: datetime | None = None
        self.is_away = False
        self.asked: list[tuple[str | None, str | None]] = []
        self.threads: set[int] = set()

    def read(self, user_id: str | None, session_id: str | None) -> dict[str, Any] | None:
        self.asked.append((user_id, session_id))
        self.threads.add(threading.get_ident())
        if self.is_away:
            raise DependencyUnavailable("away")
        return None if self.made_at is None else {"user": None, "session": session_row(self.made_at).row(0, named=True)}

    async def looked(self, times: int = 2) -> None:
        """Wait for further looks."""
        count = len(self.asked) + times
        await until_async(lambda: len(self.asked) >= count, "a look")


@contextmanager
def watched(store: Store, registry: CollectorRegistry) -> Iterator[None]:
    stations = ServingMetrics(registry).show_probes(0.01, lambda: BEGIN + timedelta(seconds=21))
    task = asyncio.get_running_loop().create_task(watch_probes(store, stations, 0.01))
    try:
        yield
    finally:
        task.cancel()


def shown(registry: CollectorRegistry, name: str = "endcap_probe_timestamp_seconds") -> float | None:
    return registry.get_sample_value(name, {"station": "transformer"})


async def test_the_newest_probe_of_the_store_is_shown_whatever_happens_to_the_store() -> None:
    store, registry = Store(), CollectorRegistry()
    with capture_logs() as lines, watched(store, registry):
        await store.looked()
        assert shown(registry) == 0.0
        for number, is_away in enumerate([False, True, False]):
            store.is_away, store.made_at = is_away, BEGIN + timedelta(seconds=number)
            await store.looked(3)
        await until_async(lambda: shown(registry) == (BEGIN + timedelta(seconds=2)).timestamp(), "the newest probe")
    assert set(store.asked) == {(None, ONLINE_ID)}
    assert len(store.threads) == 1 and threading.get_ident() not in store.threads
    assert [line["log_level"] for line in lines] == ["warning"]


async def test_what_a_transformer_finds_at_its_start_has_no_delay() -> None:
    store, registry = Store(), CollectorRegistry()
    store.made_at = BEGIN
    with watched(store, registry):
        await until_async(lambda: shown(registry) == BEGIN.timestamp(), "the probe")
        assert shown(registry, "endcap_probe_delay_seconds_count") in (None, 0.0)
        store.made_at = BEGIN + timedelta(seconds=21)
        await until_async(lambda: shown(registry, "endcap_probe_delay_seconds_count") == 1.0, "the next one")
