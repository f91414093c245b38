"""Probes as a collector makes them: on the disk as events are, and counted nowhere."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from starlette.testclient import TestClient

from endcap.contracts.event_type import EventType
from endcap.core.settings import EventSettings, Settings
from endcap.events.log.reader import read_events, read_log
from endcap.events.probes.line import is_probe
from endcap_collector.app import Parts, make_app, open_parts
from endcap_collector.probing import Probing
from tests.endcap.events.sent_events import sent
from tests.services.collector.running_collector import NOW, running
from tests.waiting import until, until_async


def metric(parts: Parts, name: str, **labels: str) -> float | None:
    return parts.registry.get_sample_value(name, labels)


def stored(home: Path) -> list[bytes]:
    return [line for file in sorted((home / "events").glob("*")) for line in file.read_bytes().splitlines()]


async def test_a_probe_is_on_the_disk_and_counted_nowhere(tmp_path: Path) -> None:
    async with running(tmp_path) as collector:
        parts = collector.parts
        await parts.probing.send()
        assert [is_probe(line) for line in stored(tmp_path)] == [True]
        assert metric(parts, "endcap_probe_timestamp_seconds", station="disk") == NOW.timestamp()
        assert metric(parts, "endcap_probe_delay_seconds_count", station="disk") == 1
        assert metric(parts, "endcap_probe_interval_seconds") == 10
        counted = [
            sample
            for family in parts.registry.collect()
            for sample in family.samples
            if sample.name.startswith("endcap_collector_") and sample.name.endswith("_total") and sample.value
        ]
        assert counted == []
        assert collector.stored().is_empty()


async def test_without_kafka_there_is_no_station_of_kafka(tmp_path: Path) -> None:
    async with running(tmp_path) as collector:
        assert metric(collector.parts, "endcap_probe_timestamp_seconds", station="disk") == 0
        assert metric(collector.parts, "endcap_probe_timestamp_seconds", station="kafka") is None


@pytest.mark.parametrize("key", ["app-key", "server-key", "backfill-key", "transformer-key"])
async def test_a_probe_from_outside_is_refused_by_name(tmp_path: Path, key: str) -> None:
    async with running(tmp_path) as collector:
        answer = await collector.send([{**sent(EventType.PAGE_VIEW, NOW), "event_type": "probe"}], key)
        assert answer.status_code == 400
        (refused,) = answer.json()["refused"]
        assert (refused["field"], "no key may send one" in refused["reason"]) == ("event_type", True)
        assert stored(tmp_path) == []


class Turns:
    """A sleep that is over when a test says so."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self._turn = asyncio.Semaphore(0)

    async def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)
        await self._turn.acquire()

    def next(self) -> None:
        self._turn.release()

    async def after(self, count: int) -> None:
        """Wait until so many are over, and what came after them too."""
        await until_async(lambda: len(self.asked) > count, "the next sleep")


@asynccontextmanager
async def probed(parts: Parts, turns: Turns) -> AsyncIterator[None]:
    probing = Probing("a", events=parts.events, stations=parts.metrics.stations, clock=parts.clock, random=Random(1), sleep=turns)
    task = asyncio.create_task(probing.run(7.5))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_disk_that_refuses_is_missed_and_the_next_probe_is_tried(tmp_path: Path) -> None:
    async with running(tmp_path) as collector:
        turns, parts = Turns(), collector.parts
        (tmp_path / "events").write_text("a file where the folder should be")
        async with probed(parts, turns):
            for expected in (1, 2):
                turns.next()
                await turns.after(expected)
            assert metric(parts, "endcap_probe_timestamp_seconds", station="disk") == 0
            (tmp_path / "events").unlink()
            turns.next()
            await turns.after(3)
            assert metric(parts, "endcap_probe_timestamp_seconds", station="disk") == NOW.timestamp()
        assert set(turns.asked) == {7.5}


def settings(home: Path, probe_seconds: float) -> Settings:
    return Settings(home=home, events=EventSettings(probe_seconds=probe_seconds))


def test_a_collector_that_serves_makes_probes_of_its_own_name(tmp_path: Path) -> None:
    with TestClient(make_app(open_parts(settings(tmp_path, 0.01)))) as client:
        until(lambda: (tmp_path / "events").is_dir() and len(stored(tmp_path)) >= 2, "two probes")
        assert 'endcap_probe_timestamp_seconds{station="disk"}' in client.get("/metrics").text
    lines = [json.loads(line) for line in stored(tmp_path)]
    assert len({line["session_id"] for line in lines}) == 1
    assert len({line["event_id"] for line in lines}) == len(lines)
    assert all(datetime.fromisoformat(line["occurred_at"]) <= datetime.now(UTC) for line in lines)
    assert read_events(tmp_path / "events").collect().is_empty()
    assert len(read_log(tmp_path / "events").collect()) == len(lines)


def test_none_are_made_where_the_setting_is_0(tmp_path: Path) -> None:
    with TestClient(make_app(open_parts(settings(tmp_path, 0)))) as client:
        text = client.get("/metrics").text
    assert "endcap_probe_interval_seconds 0.0" in text
    assert "endcap_probe_timestamp_seconds{" not in text
    assert not (tmp_path / "events").exists()
