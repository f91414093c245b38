"""Messages of one topic: sent in order, and waited for until Kafka confirmed or refused each."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from endcap.core.errors import InvalidInput
from endcap.events.log.kafka import VERSION_HEADER
from endcap.events.log.kafka_config import IN_ORDER_AND_ONCE, KafkaConfig
from endcap.events.probes.line import is_probe
from endcap_collector.spool.probe_partitions import BY_KEY, ProbePartitions
from endcap_collector.spool.topic import VERSION, Topic

_HEADERS: list[tuple[str, str | bytes | None]] = [(VERSION_HEADER, VERSION)]
_WAIT_SECONDS = 0.1
_PURGE_SECONDS = 1.0

_PRODUCER: Mapping[str, Any] = {**IN_ORDER_AND_ONCE, "linger.ms": 5, "topic.metadata.propagation.max.ms": 5_000}


class Reason(StrEnum):
    """Why a message is not confirmed."""

    TOO_LARGE = "too_large"
    TOPIC_MISSING = "topic_missing"
    NOT_ALLOWED = "not_allowed"
    OTHER = "other"
    NO_ANSWER = "no_answer"


_REASONS = {
    KafkaError.MSG_SIZE_TOO_LARGE: Reason.TOO_LARGE,
    KafkaError.UNKNOWN_TOPIC_OR_PART: Reason.TOPIC_MISSING,
    KafkaError._UNKNOWN_TOPIC: Reason.TOPIC_MISSING,
    KafkaError._UNKNOWN_PARTITION: Reason.TOPIC_MISSING,
    KafkaError.TOPIC_AUTHORIZATION_FAILED: Reason.NOT_ALLOWED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: Reason.NOT_ALLOWED,
    KafkaError._PURGE_QUEUE: Reason.NO_ANSWER,
    KafkaError._PURGE_INFLIGHT: Reason.NO_ANSWER,
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one message is not confirmed, in a word and in Kafka's own."""

    reason: Reason
    said: str


class Sending:
    """An idempotent producer of one topic, for one thread. While Kafka is away a message waits; none is given up for its age.

    Args:
        config: how Kafka is reached.
        topic: where messages go.

    Raises:
        InvalidInput: Kafka's client refuses a setting.
    """

    def __init__(self, config: KafkaConfig, topic: Topic) -> None:
        self._config, self._topic = config, topic
        self._has_ended = False
        self._probe_partitions = ProbePartitions(topic.name)
        self._producer = self._opened()

    def send(self, lines: Sequence[bytes], is_over: Callable[[], bool]) -> Mapping[int, Refusal]:
        """Send lines, and wait until each is confirmed or refused.

        Args:
            lines: without their ends.
            is_over: whether there is no time left; what is not confirmed then is refused with NO_ANSWER.

        Returns:
            The refused ones, by their places; all others are confirmed.
        """
        refused: dict[int, Refusal] = {}
        for place, line in enumerate(lines):
            self._hand_over(line, place, refused, is_over)
        while len(self._producer) and not self._has_ended and not is_over():
            self._served(self._producer.flush, _WAIT_SECONDS)
        if len(self._producer):
            self._give_up()
        if len(self._producer):
            return dict.fromkeys(range(len(lines)), Refusal(Reason.NO_ANSWER, "no answer"))
        return refused

    def serve(self) -> None:
        """Let the client say what it heard of Kafka."""
        self._served(self._producer.poll, 0.0)

    def renew(self) -> None:
        """A new client, which asks Kafka anew what there is and what is allowed; the earlier one stays where none can be made."""
        self._give_up()
        self._probe_partitions.forget()
        with suppress(InvalidInput):  # a file that the settings name is gone for a moment
            self._producer = self._opened()
            self._has_ended = False

    def close(self) -> None:
        """Give up what is not confirmed."""
        self._give_up()

    def _opened(self) -> Producer:
        return self._config.opened(Producer, {**_PRODUCER, "error_cb": self._note})

    def _note(self, error: KafkaError) -> None:
        if error.fatal() or error.code() == KafkaError._FATAL:
            self._has_ended = True

    def _served(self, serve: Callable[[float], int], seconds: float) -> None:
        """Let the client call back; it raises there what it cannot go on with."""
        try:
            serve(seconds)
        except KafkaException as error:
            self._note(error.args[0])

    def _hand_over(self, line: bytes, place: int, refused: dict[int, Refusal], is_over: Callable[[], bool]) -> None:
        """Give a line to the client, as soon as that has room."""
        topic, note = self._topic, partial(_note_refusal, refused, place)
        value, key = topic.encode(line), topic.key_of(line)
        partition = self._probe_partitions.next(self._producer) if topic.has_probes and is_probe(line) else BY_KEY
        while True:
            try:
                self._producer.produce(topic.name, value, key, partition, headers=_HEADERS, on_delivery=note)
            except BufferError:
                if is_over():
                    refused[place] = Refusal(Reason.NO_ANSWER, "no room in Kafka's client")
                    return
                self._served(self._producer.poll, _WAIT_SECONDS)
            except KafkaException as error:
                refused[place] = _refusal(error.args[0])
                return
            else:
                return

    def _give_up(self) -> None:
        self._producer.purge()
        self._served(self._producer.flush, _PURGE_SECONDS)


def _note_refusal(refused: dict[int, Refusal], place: int, error: KafkaError | None, _message: Message) -> None:
    if error is not None:
        refused[place] = _refusal(error)


def _refusal(error: KafkaError) -> Refusal:
    return Refusal(_REASONS.get(error.code(), Reason.OTHER), error.str())
