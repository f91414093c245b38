"""Which logs the stream follows: Kafka's topics where the settings name a Kafka, else the files under the home folder."""

from collections.abc import Sequence

from endcap.catalogue.changes.change_lines import read_change_lines
from endcap.core.clock import Clock
from endcap.core.settings import Settings
from endcap.events.log.topic_names import catalogue_topic, read_topics
from endcap.events.stream.following import Follower, LogFollower, Read
from endcap.events.stream.lines import read_lines
from endcap_stream.metrics import StreamMetrics


def event_follower(settings: Settings, metrics: StreamMetrics, clock: Clock) -> Follower:
    """Of what was shown and what followed.

    Raises:
        InvalidInput: Kafka's settings cannot be used.
    """
    if settings.events.kafka_bootstrap:
        return _topic_follower(settings, read_topics(settings), read_lines, metrics, clock)
    return LogFollower(settings.event_log_dir, settings.stream.batch_bytes, clock)


def catalogue_follower(settings: Settings, metrics: StreamMetrics, clock: Clock) -> Follower:
    """Of changes of items.

    Raises:
        InvalidInput: Kafka's settings cannot be used.
    """
    if settings.events.kafka_bootstrap:
        return _topic_follower(settings, [catalogue_topic(settings)], read_change_lines, metrics, clock)
    return LogFollower(settings.catalogue_log_dir, settings.stream.batch_bytes, clock, read_change_lines)


def _topic_follower(settings: Settings, topics: Sequence[str], read: Read, metrics: StreamMetrics, clock: Clock) -> Follower:
    from endcap.events.log.kafka_config import kafka_config
    from endcap.events.stream.kafka.following import TopicFollower
    from endcap.events.stream.kafka.reading import Counts

    for topic in topics:
        metrics.show_topic(topic)
    counts = Counts(
        lost=lambda topic, messages: metrics.kafka_lost.labels(topic).inc(messages),
        null=lambda topic, messages: metrics.kafka_null.labels(topic).inc(messages),
    )
    chosen = settings.stream
    return TopicFollower(
        kafka_config(settings.events), topics, chosen.kafka_group, chosen.batch_bytes, read=read, counts=counts, clock=clock
    )
