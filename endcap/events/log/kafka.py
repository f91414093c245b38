"""The event log of a cluster: a Kafka topic, a message an event."""

from collections.abc import Callable, Sequence
from math import ceil
from time import monotonic
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from endcap.contracts.event import Event
from endcap.core.errors import InvalidInput
from endcap.events.log.batches import Batch
from endcap.events.log.kafka_config import IN_ORDER_AND_ONCE, KafkaConfig
from endcap.events.log.losses import count_nothing
from endcap.events.log.queued import QUEUE_BATCHES, QueuedEventLog
from endcap.events.schemas.value_format import PlainJson, ValueFormat

VERSION_HEADER = "schema_version"

HEADERS: list[tuple[str, str | bytes | None]] = [(VERSION_HEADER, str(Event.model_fields["schema_version"].default).encode())]
_FLUSH_SECONDS = 0.25
_COMPLAIN_SECONDS = 60.0
_RENEW_SECONDS = 5.0
_TURN_SECONDS = 0.001
"""Long enough that a thread that waits for the interpreter wakes up and takes it."""
_ROOM_SECONDS = 0.1
_PURGE_SECONDS = 1.0
_TOO_LATE = "Kafka did not confirm them in time"

_PRODUCER: dict[str, Any] = {
    **IN_ORDER_AND_ONCE,
    "linger.ms": 100,
    # Together with the queue of lists this is what an outage may last.
    "queue.buffering.max.messages": 20_000,
}


class KafkaEventLog(QueuedEventLog):
    """Events as messages of one topic: key is the user's id, else the session's; value is the contract's JSON, framed where the format says
    so; a header has the contract's version.

    A person's events are in one partition, in the order they were emitted, and once, whatever is sent again. While Kafka is away events
    wait, as many as the queues hold; what Kafka refuses for good is dropped.
    """

    def __init__(
        self,
        config: KafkaConfig,
        *,
        values: ValueFormat | None = None,
        queue_batches: int = QUEUE_BATCHES,
        count_dropped: Callable[[int], None] = count_nothing,
        complain_seconds: float = _COMPLAIN_SECONDS,
        renew_seconds: float = _RENEW_SECONDS,
    ) -> None:
        """Start the sending thread; Kafka need not be there.

        Args:
            config: how it is reached.
            values: how values are written, closed with the log; plain JSON when left out.
            queue_batches: batches that may wait, the bound on memory beside the client's own 20,000 events.
            count_dropped: called with the number of lost events, from any thread.
            complain_seconds: shortest time between two log lines about losses.
            renew_seconds: shortest time between two clients, when Kafka does not let one go on.

        Raises:
            InvalidInput: Kafka's client refuses a setting.
        """
        super().__init__(
            queue_batches=queue_batches, flush_seconds=_FLUSH_SECONDS, complain_seconds=complain_seconds, count_dropped=count_dropped
        )
        self._config = config
        self._values = values or PlainJson()
        self._trouble = ""
        self._batches = self._events = 0
        self._renew_seconds = renew_seconds
        self._renew_at = 0.0
        self._producer = self._opened()
        self._thread.start()

    def waiting(self) -> int:
        """Batches that Kafka has not confirmed yet; of those that its client has, about as many as their mean size tells."""
        handed = len(self._producer) * self._batches / self._events if self._events else 0
        return len(self._queue) + ceil(handed)

    def _why_full(self) -> str:
        return self._with_trouble(super()._why_full())

    def _with_trouble(self, reason: str) -> str:
        return f"{reason}; last heard of Kafka: {self._trouble}" if self._trouble else reason

    def _opened(self) -> Producer:
        return self._config.opened(Producer, {**_PRODUCER, "error_cb": self._note, "on_delivery": self._not_delivered})

    def _note(self, error: KafkaError) -> None:
        """Keep what Kafka's client says; that no broker is left says less than why."""
        if error.code() != KafkaError._ALL_BROKERS_DOWN or not self._trouble:
            self._trouble = error.str()

    def _served(self, serve: Callable[[float], int], seconds: float) -> None:
        """Let the client call back; it raises there what it cannot go on with."""
        try:
            serve(seconds)
        except KafkaException as error:
            self._note(error.args[0])

    def _not_delivered(self, error: KafkaError, message: Message) -> None:
        is_given_up = error.code() in (KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT)
        self._losses.add(1, self._with_trouble(_TOO_LATE) if is_given_up else f"Kafka refused for topic {message.topic()}: {error.str()}")

    def _flush(self) -> None:
        super()._flush()
        self._served(self._producer.poll, 0.0)

    def _write(self, batches: Sequence[Batch]) -> None:
        for batch in batches:
            messages = self._made(batch, messages_of) or []
            self._batches, self._events = self._batches + 1, self._events + len(messages)
            for place, (person, line) in enumerate(messages):
                if not self._is_settled(person, self._values.encoded(line)):
                    self._losses.add(len(messages) - place, self._with_trouble(_TOO_LATE))
                    break
        self._served(self._producer.poll, _TURN_SECONDS)

    def _is_settled(self, person: str, value: bytes) -> bool:
        """Hand an event to the client, which may take until it has room again; whether that was done before the time was over."""
        while True:
            try:
                self._producer.produce(self._config.topic, value, person, headers=HEADERS)
                return True
            except BufferError:
                has_ended = False
            except KafkaException as error:
                reported: KafkaError = error.args[0]
                has_ended = reported.code() == KafkaError._FATAL
                if not has_ended:
                    self._losses.add(1, f"Kafka's client refused: {reported.str()}")
                    return True
            if self._is_over():
                return False
            if has_ended and monotonic() >= self._renew_at:
                self._renew()
            else:
                self._served(self._producer.poll, _ROOM_SECONDS)

    def _renew(self) -> None:
        """A client that Kafka does not let go on, for example for rights that it lacked, gives way to a new one."""
        self._renew_at = monotonic() + self._renew_seconds
        self._give_up()
        try:
            self._producer = self._opened()
        except InvalidInput as error:  # a file that the settings name is gone
            self._trouble = error.message

    def _finish(self) -> None:
        self._served(self._producer.flush, max(0.0, self._give_up_at - monotonic()))
        self._give_up()
        self._values.close()

    def _give_up(self) -> None:
        """Drop what the client still has."""
        self._producer.purge()
        self._served(self._producer.flush, _PURGE_SECONDS)


def messages_of(batch: Batch) -> list[tuple[str, bytes]]:
    """Key and JSON of each event."""
    return list(zip(batch.persons(), batch.json_lines().encode().split(b"\n")[:-1], strict=True))
