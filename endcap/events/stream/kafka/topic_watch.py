"""Which partitions topics have, asked for again and again beside the stream's loop."""

import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from endcap.core.log import get_logger
from endcap.events.log.kafka_config import KafkaConfig

LOOK_EVERY_SECONDS = 2.0
ANSWER_SECONDS = 2.0
_END_SECONDS = 5.0

_NOT_THERE = (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC)
_ID_BITS = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class KnownTopic:
    """A topic that is there.

    Attributes:
        partitions: their numbers.
        without_leader: those of them that no broker has.
        identity: another number when a topic of the same name is made anew; 0 where brokers do not tell.
    """

    partitions: frozenset[int]
    without_leader: frozenset[int] = frozenset()
    identity: int = 0


@dataclass(frozen=True, slots=True)
class SeenTopics:
    """What the newest look found.

    Attributes:
        topics: by name; those that are there, and those that were when Kafka last told.
        missing: names of those that are not there.
        is_answered: whether Kafka told of all of them.
    """

    topics: Mapping[str, KnownTopic] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()
    is_answered: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether each topic is there and each partition has a broker."""
        return self.is_answered and not self.missing and not any(topic.without_leader for topic in self.topics.values())


class TopicWatch:
    """Looks in a thread of its own, since Kafka may take its time.

    Args:
        config: how Kafka is reached.
        topics: their names.

    Raises:
        InvalidInput: Kafka's client refuses a setting.
    """

    def __init__(self, config: KafkaConfig, topics: Sequence[str]) -> None:
        self._client = config.opened(AdminClient, {"error_cb": self._note})
        self._topics = list(topics)
        self.seen = SeenTopics()
        self._said: dict[str, str] = {}
        self._trouble = ""
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kafka-topics", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self) -> None:
        """Look no more."""
        self._closing.set()
        with suppress(RuntimeError):  # never started
            self._thread.join(_END_SECONDS)

    def look(self) -> None:
        """Ask once; what is news is said once."""
        topics, missing, is_answered = dict(self.seen.topics), set[str](), True
        asked = self._client.describe_topics(TopicCollection(self._topics), request_timeout=ANSWER_SECONDS)
        for name, answer in asked.items():
            try:
                topics[name] = _known(answer.result())
                self._say(name, "", "")
            except KafkaException as error:
                reported: KafkaError = error.args[0]
                if reported.code() in _NOT_THERE:
                    topics.pop(name, None)
                    missing.add(name)
                    self._say(name, "a topic is not there; it is waited for", reported.str())
                else:
                    is_answered = False
                    self._say(name, "Kafka does not tell of a topic; it is asked again", self._trouble or reported.str())
        self.seen = SeenTopics(topics, frozenset(missing), is_answered)

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self.look()
            except Exception as error:
                # Without looks the stream would stand still and not say why.
                self.seen = SeenTopics(self.seen.topics, self.seen.missing)
                get_logger("stream").error("the look at Kafka's topics failed; it is done again", reason=repr(error))
            self._closing.wait(LOOK_EVERY_SECONDS)

    def _note(self, error: KafkaError) -> None:
        if error.code() != KafkaError._ALL_BROKERS_DOWN or not self._trouble:
            self._trouble = error.str()

    def _say(self, topic: str, event: str, reason: str) -> None:
        before, self._said[topic] = self._said.get(topic, ""), event
        if event and event != before:
            get_logger("stream").warning(event, topic=topic, reason=reason)
        if before and not event:
            get_logger("stream").info("Kafka tells of the topic", topic=topic)


def _known(topic: Any) -> KnownTopic:
    without = frozenset(each.id for each in topic.partitions if each.leader is None or each.leader.id < 0)
    high, low = topic.topic_id.get_most_significant_bits(), topic.topic_id.get_least_significant_bits()
    return KnownTopic(frozenset(each.id for each in topic.partitions), without, (high ^ low) & _ID_BITS)
