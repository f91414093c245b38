"""The schema registry and the collector killed under load: events go on, and each is in its visit once."""

import shutil
import sys
import threading
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from endcap.core.settings import EventSettings, SchemasSettings, Settings
from endcap.events.schemas.frame import opened
from endcap.events.schemas.publishing import published
from endcap.events.schemas.registry import open_registry
from endcap.features.store.online import OnlineFeatures
from tests.kafka_broker.broker import KafkaBroker
from tests.schema_registry.apicurio import ApicurioRegistry, running_registry
from tests.seeds import SEEDS
from tests.services.running_parts import RunningParts, running_parts
from tests.services.senders import ENOUGH_SECONDS, send_all, sending
from tests.services.stream.kafka.stream_topics import make_topics
from tests.services.stream.kafka.test_kafka_kill import expected_visits
from tests.services.stream.test_kill import BATCHES, EVENTS, SENDERS, batches, visits_of
from tests.services.stream.visits import require_visits
from tests.waiting import until

ALL = SENDERS * BATCHES * EVENTS


@pytest.mark.parametrize("seed", SEEDS)
def test_events_go_on_without_the_registry_and_with_one_that_forgot_all(
    broker: KafkaBroker, store_home: Path, tmp_path: Path, seed: int
) -> None:
    home, prefix = Path(shutil.copytree(store_home, tmp_path / "home")), make_topics(broker)
    with running_registry(tmp_path) as registry:
        publish(registry, prefix)
        settings = {
            "ENDCAP_EVENTS__KAFKA_BOOTSTRAP": broker.bootstrap,
            "ENDCAP_EVENTS__TOPIC_PREFIX": prefix,
            "ENDCAP_SCHEMAS__REGISTRY_URL": registry.url,
            "ENDCAP_SCHEMAS__REFRESH_SECONDS": "1",
        }
        with running_parts(home, settings) as parts:
            send_while_killed(parts, registry, Random(seed))
            online = OnlineFeatures.open(Settings(home=home))
            require_visits(expected_visits(), lambda: visits_of(online))
            values = [opened(message.value() or b"") for message in broker.messages(f"{prefix}.events.v1", ALL)]
            assert any(value.schema_id is not None for value in values)
            parts.end()


def publish(registry: ApicurioRegistry, prefix: str) -> None:
    """As a release does."""
    chosen = SchemasSettings(registry_url=registry.url, timeout_seconds=30)
    with closing(open_registry(chosen)) as client:
        published(client, EventSettings(topic_prefix=prefix), is_dry_run=False)


def send_while_killed(parts: RunningParts, registry: ApicurioRegistry, random: Random) -> None:
    """The registry goes first, then the collector, which starts without it; in the end the registry is there, and knows nothing."""
    work, answered = [batches(sender) for sender in range(SENDERS)], list[object]()
    for kill in (registry.kill, parts.kill_collector):
        at = len(answered) + random.randrange(50, 400)
        with sending(parts.collector.address, work, answered, at, "the kill"):
            kill()
        if not parts.collector.is_running:
            parts.start_collector()
    assert answered
    for each in work[: SENDERS // 2]:
        send_all(parts.collector.address, each, [], threading.Event(), sys.maxsize)
    registry.start()
    for each in work:
        send_all(parts.collector.address, each, [], threading.Event(), sys.maxsize)
    until(lambda: registry_is_asked(parts), "the collector sees that the registry forgot", ENOUGH_SECONDS)


def registry_is_asked(parts: RunningParts) -> bool:
    return "the schema is not registered" in parts.collector.said()
