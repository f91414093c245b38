"""Kafka as a log whose writer goes on only when its events are safe."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from confluent_kafka import KafkaException, Producer

from endcap.core.errors import DependencyUnavailable
from endcap.core.settings import Settings
from endcap.events.log.batches import Batch
from endcap.events.log.kafka import HEADERS, messages_of
from endcap.events.log.kafka_config import IN_ORDER_AND_ONCE, kafka_config
from endcap.events.log.losses import count_nothing
from endcap.events.schemas.value_format import open_value_format

CONFIRMED_SECONDS = 30.0
_PURGE_SECONDS = 1.0
_AT_ONCE = 10_000
"""Less than what Kafka's client has room for."""


class ConfirmedKafkaLog:
    """Writes to the topic of what was shown, as `ConfirmedLog` says.

    Args:
        settings: all settings.

    Raises:
        InvalidInput: the settings of Kafka or of the schema registry cannot be used.
    """

    def __init__(self, settings: Settings) -> None:
        self._config = kafka_config(settings.events)
        self._values = open_value_format(settings, self._config.topic, count_nothing)
        self._refused: list[str] = []
        self._producer: Producer | None = None

    def write(self, batches: Sequence[Batch]) -> None:
        """See `ConfirmedLog`."""
        self._refused.clear()
        try:
            left = self._sent([message for batch in batches for message in messages_of(batch)])
        except (KafkaException, BufferError) as error:
            self._forget()
            raise self._refusal(str(error)) from error
        if left:
            self._forget()
            raise self._refusal(f"{left} events were not confirmed in {CONFIRMED_SECONDS:g} seconds")
        if self._refused:
            raise self._refusal(self._refused[0])

    def _sent(self, messages: Sequence[tuple[str, bytes]]) -> int:
        """How many are not confirmed after a while."""
        if self._producer is None:
            self._producer = self._opened()
        left = 0
        for begin in range(0, len(messages), _AT_ONCE):
            for person, line in messages[begin : begin + _AT_ONCE]:
                self._producer.produce(self._config.topic, self._values.encoded(line), person, headers=HEADERS)
            left = self._producer.flush(CONFIRMED_SECONDS)
            if left:
                break
        return left

    def _opened(self) -> Producer:
        return self._config.opened(Producer, {**IN_ORDER_AND_ONCE, "on_delivery": self._note})

    def _note(self, error: Any, _message: Any) -> None:
        if error is not None:
            self._refused.append(error.str())

    def _forget(self) -> None:
        """Whoever is told that events were not taken writes them again, by another client: one that dropped some may not go on in order."""
        producer, self._producer = self._producer, None
        if producer is not None:
            with suppress(KafkaException):
                producer.purge()
                producer.flush(_PURGE_SECONDS)

    def _refusal(self, reason: str) -> DependencyUnavailable:
        return DependencyUnavailable(f"Kafka does not take events: {reason}", field=self._config.topic, fix="look at the broker")
