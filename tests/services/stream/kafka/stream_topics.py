"""Topics of one test."""

from tests.kafka_broker.broker import KafkaBroker

TOPICS = (("events.v1", 4), ("impressions.v1", 1), ("rejected.v1", 1), ("catalogue.v1", 1))
"""What follows the prefix, and partitions."""


def make_topics(broker: KafkaBroker) -> str:
    """All that collector and stream need, under a prefix of their own, which is returned."""
    prefix = broker.topic()
    for stem, partitions in TOPICS:
        broker.make_topic(f"{prefix}.{stem}", partitions)
    return prefix
