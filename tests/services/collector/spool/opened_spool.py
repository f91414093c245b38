"""A spool that sends to a broker, without the collector in front of it."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from prometheus_client import CollectorRegistry

from endcap.core.settings import CollectorSettings, EventSettings, SchemasSettings, Settings
from endcap.events.dead_letters.sealing import Seal, dead_letter_seal
from endcap_collector.metrics import CollectorMetrics
from endcap_collector.spool.forwarder import Pace
from endcap_collector.spool.spool import Spool, Topics
from tests.kafka_broker.broker import KafkaBroker

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
QUICK = Pace(look_seconds=0.01, again_seconds=0.1, remove_seconds=0.0)
SOON = "topic.metadata.propagation.max.ms=200\nreconnect.backoff.max.ms=200\n"
"""Kafka's client waits long for topics and brokers; tests do not."""


@dataclass(frozen=True)
class OpenedSpool:
    """Attributes:
    spool: it.
    registry: of its metrics.
    seal: of dead letters.
    """

    spool: Spool
    registry: CollectorRegistry
    seal: Seal

    def value(self, name: str, **labels: str) -> float:
        """A metric."""
        return self.registry.get_sample_value(name, labels) or 0.0

    def waiting(self) -> float:
        """Events that wait, letters and changes among them."""
        return sum(self.value("endcap_collector_spool_waiting_events", log=log) for log in ("events", "dead_letters", "catalogue"))


def topic_settings(broker: KafkaBroker, **config: str) -> dict[str, str]:
    """Settings of three topics of their own.

    Args:
        broker: that has them.
        config: of the topic of events.
    """
    return {"events_topic": broker.topic(3, **config), "rejected_topic": broker.topic(), "catalogue_topic": broker.topic()}


def client_file(home: Path, content: str) -> Path:
    """A file of settings of Kafka's client."""
    file = home / "kafka.properties"
    file.write_text(content)
    return file


@asynccontextmanager
async def opened_spool(
    home: Path,
    bootstrap: str,
    *,
    pace: Pace = QUICK,
    client: str = "",
    clock: Callable[[], datetime] = lambda: NOW,
    close_seconds: float = 10.0,
    ways: Topics | None = None,
    schemas: SchemasSettings | None = None,
    **chosen: Any,
) -> AsyncIterator[OpenedSpool]:
    """A spool that runs; at the end it has `close_seconds` for what waits.

    Args:
        home: its home folder.
        bootstrap: of Kafka.
        pace: of the forwarders.
        client: further settings of Kafka's client.
        clock: the present.
        close_seconds: as above.
        ways: topics with keys and encoding; None for those of the settings.
        schemas: a schema registry; None for none.
        chosen: settings of the collector.
    """
    settings = Settings(
        home=home,
        events=EventSettings(kafka_bootstrap=bootstrap, kafka_config_file=client_file(home, SOON + client)),
        collector=CollectorSettings(**chosen),
        schemas=schemas or SchemasSettings(),
    )
    registry = CollectorRegistry()
    seal = dead_letter_seal(settings, may_make=True)
    spool = Spool(settings, CollectorMetrics(registry), seal, clock, pace=pace, topics=ways)
    spool.start()
    try:
        yield OpenedSpool(spool, registry, seal)
    finally:
        await spool.close(close_seconds)
        for log in (spool.events, spool.letters, spool.catalogue):
            await log.close()


def line(number: int, user: str = "u", **more: Any) -> bytes:
    """An event of the log."""
    event = {
        "event_id": str(UUID(int=number)),
        "event_type": "page_view",
        "occurred_at": "2026-03-01T08:00:00.000000Z",
        "received_at": "2026-03-01T08:00:00.000000Z",
        "session_id": f"session of {user}",
        "user_id": user,
        "consent": True,
        "consent_analytics": True,
        **more,
    }
    return json.dumps(event, separators=(",", ":")).encode() + b"\n"


def numbers(values: list[bytes]) -> list[int]:
    """The numbers that `line` made events of."""
    return [UUID(json.loads(value)["event_id"]).int for value in values]


def values_of(broker: KafkaBroker, topic: str, count: int) -> list[bytes]:
    """What lies in a topic, once there are so many."""
    return [value for message in broker.messages(topic, count) if (value := message.value()) is not None]
