"""Partitions that probes go to, one after another: a partition that is stuck shows, whatever the keys of events are."""

from collections.abc import Callable
from time import monotonic
from typing import Any, Protocol

from confluent_kafka import KafkaException

BY_KEY = -1
"""In place of a partition: Kafka's client takes the key's, as it does for events."""

_ANSWER_SECONDS = 1.0
_ASK_SECONDS = 30.0
"""Between two times that Kafka is asked: while it is away thousands of probes may wait, and none may wait for an answer of its own."""


class TellsTopics(Protocol):
    """Kafka's client."""

    def list_topics(self, topic: str, timeout: float) -> Any:
        """What Kafka says of a topic."""


class ProbePartitions:
    """Deals out the partitions of one topic; for one thread.

    Args:
        topic: its name.
        timer: monotonic seconds.
    """

    def __init__(self, topic: str, timer: Callable[[], float] = monotonic) -> None:
        self._topic, self._timer = topic, timer
        self._count = self._dealt = 0
        self._ask_at = 0.0

    def next(self, client: TellsTopics) -> int:
        """The partition of the next probe; BY_KEY while nobody knows how many there are.

        Args:
            client: asked now and then, since partitions may be added.
        """
        if self._timer() >= self._ask_at:
            self._ask_at = self._timer() + _ASK_SECONDS
            self._count = _count(client, self._topic) or self._count
        if not self._count:
            return BY_KEY
        self._dealt += 1
        return self._dealt % self._count

    def forget(self) -> None:
        """The topic may have become another one."""
        self._count, self._ask_at = 0, 0.0


def _count(client: TellsTopics, topic: str) -> int:
    try:
        found = client.list_topics(topic, timeout=_ANSWER_SECONDS).topics[topic]
    except KafkaException:
        return 0
    return len(found.partitions) if found.error is None else 0
