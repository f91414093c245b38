"""The stream, the broker and the collector killed under load: each event is in its visit once, by way of Kafka."""

import shutil
import sys
import threading
from pathlib import Path
from random import Random

import polars as pl
import pytest

from endcap.core.settings import Settings
from endcap.events.dead_letters.letters import letter_table
from endcap.features.store.online import OnlineFeatures
from tests.kafka_broker.broker import KafkaBroker
from tests.seeds import SEEDS
from tests.services.running_parts import RunningParts, running_parts
from tests.services.senders import send_all, sending
from tests.services.stream.kafka.stream_topics import make_topics
from tests.services.stream.test_kill import BATCHES, EVENTS, SENDERS, batches, visit, visits_of
from tests.services.stream.visits import require_visits

KILLED = ("stream", "broker", "both", "collector")
ROUNDS = 2
"""Of them, each seed."""


def expected_visits() -> dict[str, list[str]]:
    """Items of each visit: all of one sender's batches that belong to it."""
    visits: dict[str, list[str]] = {}
    for sender in range(SENDERS):
        for batch in range(BATCHES):
            visits.setdefault(visit(sender, batch), []).extend(f"{sender}-{batch}-{place}" for place in range(EVENTS))
    return visits


@pytest.mark.parametrize("seed", SEEDS)
def test_each_event_is_in_its_visit_once_whoever_is_killed(broker: KafkaBroker, store_home: Path, tmp_path: Path, seed: int) -> None:
    home, random = Path(shutil.copytree(store_home, tmp_path / "home")), Random(seed)
    settings = {"ENDCAP_EVENTS__KAFKA_BOOTSTRAP": broker.bootstrap, "ENDCAP_EVENTS__TOPIC_PREFIX": make_topics(broker)}
    with running_parts(home, settings) as parts:
        send_while_killed(parts, broker, random)
        expected = expected_visits()
        assert sum(map(len, expected.values())) == SENDERS * BATCHES * EVENTS
        online = OnlineFeatures.open(Settings(home=home))
        require_visits(expected, lambda: visits_of(online))
        parts.end()
    assert letter_table(home / "dead_letters").filter(pl.col("key_id") == "stream").is_empty()
    require_visits(expected, lambda: visits_of(online), 0)


def send_while_killed(parts: RunningParts, broker: KafkaBroker, random: Random) -> None:
    """All batches, again after each kill, and at last with nobody killed; everybody runs afterwards."""
    work = [batches(sender) for sender in range(SENDERS)]
    answered: list[object] = []
    try:
        for killed in random.sample(KILLED, ROUNDS):
            at = len(answered) + random.randrange(50, 400)
            with sending(parts.collector.address, work, answered, at, f"{killed} was to be killed"):
                if killed in ("broker", "both"):
                    broker.stop()
                if killed in ("stream", "both"):
                    parts.kill_stream()
                    parts.start_stream()
                if killed == "collector":
                    parts.kill_collector()
            if killed == "collector":
                parts.start_collector()
            if killed in ("broker", "both"):
                broker.start()
    finally:
        # The broker is everybody's: whoever comes next needs it.
        if not broker.is_running:
            broker.start()
    for each in work:
        send_all(parts.collector.address, each, [], threading.Event(), sys.maxsize)
