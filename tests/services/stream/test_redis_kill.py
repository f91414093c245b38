"""Redis killed under load: the stream goes on, and what it promised stands in the store again, also in one that came back empty."""

import sqlite3
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest

from endcap.events.dead_letters.letters import letter_table
from endcap.features.store.online import OnlineFeatures
from tests.endcap.features.store.redis_server import RedisServer
from tests.seeds import SEEDS
from tests.services.running_parts import RunningParts, running_parts
from tests.services.senders import ENOUGH_SECONDS, send_all, sending
from tests.services.stream.redis_home import KEY, RedisHome, home_on, running_charts_redis
from tests.services.stream.test_kill import BATCHES, EVENTS, SENDERS, batches, visit
from tests.services.stream.visits import require_visits
from tests.waiting import until

pytestmark = pytest.mark.processes

ALL = SENDERS * BATCHES * EVENTS
FIRST = BATCHES // 2
Batch = list[dict[str, Any]]


def work() -> list[list[Batch]]:
    """Batches of each sender: what each person of a visit looked at, which requests know by the visit and by the person."""
    return [
        [
            [event | {"event_type": "product_view", "user_id": f"person of {event['session_id']}"} for event in batch]
            for batch in batches(each)
        ]
        for each in range(SENDERS)
    ]


def items_of_visits() -> dict[str, list[str]]:
    expected: dict[str, list[str]] = {}
    for sender in range(SENDERS):
        for number, batch in enumerate(batches(sender)):
            expected.setdefault(visit(sender, number), []).extend(event["item_id"] for event in batch)
    return expected


def visits_in(online: OnlineFeatures, names: Sequence[str]) -> dict[str, list[str]]:
    found = {name: online.read(None, name) for name in names}
    return {name: row["session"]["session_item_ids"] for name, row in found.items() if row and row["session"]}


def persons_in(online: OnlineFeatures, names: Sequence[str]) -> dict[str, list[str]]:
    found = {name: online.read(f"person of {name}", None) for name in names}
    return {name: row["recent"]["recent_item_ids"] for name, row in found.items() if row and row["recent"]}


@pytest.fixture(params=[True, False], ids=["kept", "empty"])
def redis(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RedisServer]:
    """With the chart's persistence, and without."""
    with running_charts_redis(tmp_path / "redis", is_kept=request.param) as server:
        yield server


@pytest.fixture
def home(redis: RedisServer, store_features: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RedisHome:
    return home_on(redis, store_features, tmp_path, monkeypatch)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_the_stream_promised_stands_in_a_redis_that_was_killed(redis: RedisServer, home: RedisHome, seed: int) -> None:
    expected = items_of_visits()
    with running_parts(home.settings.home, home.environment) as parts:
        online = OnlineFeatures.open(home.settings)
        deliver_first(parts, online)
        send_while_redis_is_away(parts, redis, Random(seed))
        redis.start()
        require_visits(expected, lambda: visits_in(online, list(expected)))
        require_visits(expected, lambda: persons_in(online, list(expected)))
        parts.end()
    assert letter_table(home.settings.dead_letter_dir).filter(pl.col("key_id") == "stream").is_empty()


def deliver_first(parts: RunningParts, online: OnlineFeatures) -> None:
    """Half of the visits, which nothing happens in any more, stand in Redis before it is killed."""
    for each in work():
        send_all(parts.collector.address, each[:FIRST], [], threading.Event(), sys.maxsize, key=KEY)
    ended = {visit(sender, number) for sender in range(SENDERS) for number in range(FIRST)}
    expected = {name: items for name, items in items_of_visits().items() if name in ended}
    require_visits(expected, lambda: visits_in(online, list(expected)))
    require_visits(expected, lambda: persons_in(online, list(expected)))


def send_while_redis_is_away(parts: RunningParts, redis: RedisServer, random: Random) -> None:
    """The others come while Redis is killed; the stream takes them without it, sometimes in another process."""
    given, answered = [each[FIRST:] for each in work()], list[object]()
    at = random.randrange(ALL // 8, ALL // 4)
    with sending(parts.collector.address, given, answered, at, "Redis was to be killed", key=KEY):
        redis.stop()
    assert len(answered) == ALL - SENDERS * FIRST * EVENTS
    if random.random() < 0.5:
        parts.kill_stream()
        parts.start_stream()
    for each in given:
        send_all(parts.collector.address, each, [], threading.Event(), sys.maxsize, key=KEY)
    until(lambda: taken_by(parts) == ALL, "all are taken while Redis is away", ENOUGH_SECONDS)
    until(lambda: parts.stream.samples()['endcap_stream_waiting_rows{sink="sessions"}'] > 0, "rows wait", ENOUGH_SECONDS)


def taken_by(parts: RunningParts) -> int:
    """Events that the stream's state knows; a process's own counters end with it."""
    with closing(sqlite3.connect(parts.home / "stream" / "state.sqlite")) as state:
        return int(state.execute("SELECT count(*) FROM seen").fetchone()[0])
