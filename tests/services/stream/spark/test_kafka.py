"""The stream on Spark over a real broker, killed under load: each event is in its visit once."""

import shutil
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from threading import Event

import polars as pl
import pytest
from confluent_kafka import Producer

from endcap.contracts.topics import EVENTS, IMPRESSIONS
from endcap.core.settings import EventSettings, Settings
from endcap.events.dead_letters.letters import letter_table
from endcap.events.schemas.frame import framed
from endcap.features.store.online import OnlineFeatures
from tests.endcap.events.stream.streamed_events import event
from tests.kafka_broker.broker import KafkaBroker, running_broker
from tests.seeds import SEEDS
from tests.services.stream.spark.connector import required_connector
from tests.services.stream.spark.spark_bench import line_of
from tests.services.stream.spark.spark_stream_process import started_stream
from tests.waiting import until

VISITS, CLICKS = 30, 12
KILLS = 1
EVENTS_TOPIC, IMPRESSIONS_TOPIC = (topic.named(EventSettings().topic_prefix) for topic in (EVENTS, IMPRESSIONS))


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    pytest.importorskip("pyspark", reason="pyspark is not installed: make test-spark")
    with running_broker(tmp_path_factory.mktemp("broker")) as running:
        for name in (EVENTS_TOPIC, IMPRESSIONS_TOPIC):
            running.make_topic(name, 2)
        yield running


def clicks(now: datetime) -> list[tuple[str, bytes]]:
    """Visits of clicks, each of another item; every third value is framed, as where a registry is used."""
    made: list[tuple[str, bytes]] = []
    for click in range(CLICKS):
        for visit in range(VISITS):
            told = event(f"{visit} {click}", 0, "click", f"visit {visit}", item_id=f"{visit}-{click}")
            at = now + timedelta(milliseconds=click)
            value = line_of(told | {"occurred_at": at, "received_at": at})
            made.append((f"visit {visit}", framed(7, value) if click % 3 else value))
    return made


def send(broker: KafkaBroker, values: Sequence[tuple[str, bytes]]) -> None:
    producer = Producer({"bootstrap.servers": broker.bootstrap})
    for key, value in values:
        producer.produce(EVENTS_TOPIC, value, key)
    assert producer.flush(30) == 0


def visits_of(online: OnlineFeatures) -> dict[str, list[str]]:
    """Items of each visit as a request would read them."""
    found = {f"visit {visit}": online.read(None, f"visit {visit}") for visit in range(VISITS)}
    return {name: row["session"]["session_item_ids"] for name, row in found.items() if row and row["session"]}


@pytest.mark.processes
@pytest.mark.parametrize("seed", SEEDS)
def test_each_event_is_in_its_visit_once_though_the_stream_is_killed(
    broker: KafkaBroker, store_home: Path, tmp_path: Path, seed: int
) -> None:
    home, random = Path(shutil.copytree(store_home, tmp_path / "home")), Random(seed)
    values = clicks(datetime.now(UTC))
    cuts = sorted(random.sample(range(len(values)), KILLS))
    stream = started_stream(home, broker.bootstrap, required_connector())
    for begin, end in pairwise([0, *cuts]):
        send(broker, values[begin:end])
        # Somewhere in a batch, or between two.
        Event().wait(random.uniform(0, 8))
        stream.kill()
        stream = started_stream(home, broker.bootstrap, required_connector())
    # Some come twice, and one is no event.
    send(broker, [*values[cuts[-1] :], *random.sample(values, 50), ("x", b"\x07 broken")])
    expected = {f"visit {visit}": [f"{visit}-{click}" for click in range(CLICKS)] for visit in range(VISITS)}
    online = OnlineFeatures.open(Settings(home=home))
    until(lambda: visits_of(online) == expected, "each event is in its visit", 240)
    until(lambda: len(letter_table(home / "dead_letters").filter(pl.col("key_id") == "stream")) == 1, "the dead letter is written", 60)
    assert stream.end() == 0
    assert visits_of(online) == expected
