"""The stream, the broker and the collector killed under load: each event is in its visit once, by way of Kafka."""

import shutil
import signal
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
from tests.services.collector.collector_process import CollectorProcess
from tests.services.collector.test_kill import send_all
from tests.services.stream.stream_process import StreamProcess
from tests.services.stream.test_kill import BATCHES, EVENTS, SENDERS, batches, visit, visits_of
from tests.waiting import until

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
    home, random, prefix = Path(shutil.copytree(store_home, tmp_path / "home")), Random(seed), broker.topic()
    for stem, partitions in (("events.v1", 4), ("impressions.v1", 1), ("rejected.v1", 1), ("catalogue.v1", 1)):
        broker.make_topic(f"{prefix}.{stem}", partitions)
    settings = {"ENDCAP_EVENTS__KAFKA_BOOTSTRAP": broker.bootstrap, "ENDCAP_EVENTS__TOPIC_PREFIX": prefix}
    work = [batches(sender) for sender in range(SENDERS)]
    collector, stream = CollectorProcess(home, settings), StreamProcess(home, settings)
    answered: list[object] = []
    for killed in random.sample(KILLED, ROUNDS):
        enough = threading.Event()
        at = len(answered) + random.randrange(50, 400)
        threads = [threading.Thread(target=send_all, args=(collector.address, each, answered, enough, at)) for each in work]
        for thread in threads:
            thread.start()
        assert enough.wait(120)
        if killed in ("broker", "both"):
            broker.stop()
        if killed in ("stream", "both"):
            assert stream.end(signal.SIGKILL) == -signal.SIGKILL
            stream = StreamProcess(home, settings)
        if killed == "collector":
            assert collector.end(signal.SIGKILL) == -signal.SIGKILL
        for thread in threads:
            thread.join()
        if killed == "collector":
            collector = CollectorProcess(home, settings)
        if killed in ("broker", "both"):
            broker.start()
    for each in work:
        send_all(collector.address, each, [], threading.Event(), sys.maxsize)
    expected = {name: sorted(items) for name, items in expected_visits().items()}
    assert sum(map(len, expected.values())) == SENDERS * BATCHES * EVENTS
    online = OnlineFeatures.open(Settings(home=home))

    def found() -> dict[str, list[str]]:
        return {name: sorted(items) for name, items in visits_of(online).items()}

    until(lambda: found() == expected, "each event is in its visit", 120)
    assert collector.end(signal.SIGTERM) in (0, -signal.SIGTERM)
    assert stream.end(signal.SIGTERM) == 0
    assert letter_table(home / "dead_letters").filter(pl.col("key_id") == "stream").is_empty()
    assert found() == expected
