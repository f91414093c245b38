"""A broker with the topics that collector and stream need, for as long as a scenario lasts."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from endcap.contracts.topics import EVENTS, TOPICS
from endcap.core.settings import EventSettings
from endcap_benchmarks.kafka.broker import LocalBroker

PARTITIONS = 2
EVENTS_TOPIC = EVENTS.named(EventSettings().topic_prefix)


@contextmanager
def running_topics(parent: Path, jars: Path) -> Iterator[str]:
    """Kafka's host:port; all that it stored is removed afterwards.

    Args:
        parent: the folder that the broker's own is made in.
        jars: of Kafka.

    Raises:
        DependencyUnavailable: it did not come up.
    """
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="kafka-", dir=parent) as folder:
        broker = LocalBroker(Path(folder), jars)
        try:
            broker.start()
            for topic in TOPICS:
                broker.make_topic(topic.named(EventSettings().topic_prefix), PARTITIONS)
            yield broker.bootstrap
        finally:
            broker.stop()
