"""What endcap's topics are called here: as the settings name them, else by their prefix."""

from endcap.contracts.topics import CATALOGUE, EVENTS, IMPRESSIONS, REJECTED
from endcap.core.settings import EventSettings, Settings


def events_topic(settings: Settings) -> str:
    """Where the collector sends what customers did."""
    return settings.collector.events_topic or EVENTS.named(settings.events.topic_prefix)


def rejected_topic(settings: Settings) -> str:
    """Where it sends dead letters."""
    return settings.collector.rejected_topic or REJECTED.named(settings.events.topic_prefix)


def catalogue_topic(settings: Settings) -> str:
    """Where it sends changes of items."""
    return settings.collector.catalogue_topic or CATALOGUE.named(settings.events.topic_prefix)


def impressions_topic(settings: EventSettings) -> str:
    """Where transformers send the lists that were shown."""
    return settings.kafka_topic or IMPRESSIONS.named(settings.topic_prefix)


def read_topics(settings: Settings) -> list[str]:
    """What was shown and what followed: all topics that events are read from, each once."""
    return list(dict.fromkeys((events_topic(settings), impressions_topic(settings.events))))
