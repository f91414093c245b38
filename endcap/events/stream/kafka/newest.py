"""The newest messages of topics, for people to look at."""

from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from endcap.core.clock import Clock, system_clock
from endcap.core.errors import DependencyUnavailable
from endcap.events.log.kafka_config import KafkaConfig
from endcap.events.stream.kafka.reading import count_nothing
from endcap.events.stream.kafka.side_by_side import Fetched, SideBySide, Together
from endcap.events.stream.lines import read_lines

_CONSUMER: dict[str, Any] = {
    "group.id": "endcap-newest",
    "enable.auto.commit": False,
    "auto.offset.reset": "earliest",
    "enable.partition.eof": True,
}
_TURN_SECONDS = 0.2


def newest_messages(
    config: KafkaConfig,
    topics: Sequence[str],
    messages: int,
    *,
    seconds: float,
    clock: Clock = system_clock,
    timer: Callable[[], float] = monotonic,
) -> Together:
    """What the last messages of each partition hold, in the order of arrival. Topics that are not there have none.

    Args:
        config: how Kafka is reached.
        topics: their names.
        messages: of each partition.
        seconds: longest time that it may take.
        clock: the present, UTC.
        timer: monotonic seconds.

    Raises:
        InvalidInput: Kafka's client refuses a setting.
        DependencyUnavailable: Kafka does not answer, or not in time.
    """
    until = timer() + seconds
    client = config.opened(Consumer, _CONSUMER)
    try:
        begins = _begins(client, topics, messages, seconds)
        client.assign([TopicPartition(topic, number, begin) for (topic, number), begin in begins.items()])
        waiting, unread = SideBySide(read_lines, clock, count_nothing), set(begins)
        while unread:
            if timer() >= until:
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
            fetched = list[Fetched]()
            for message in client.consume(1_000, _TURN_SECONDS):
                error, topic, number, offset = message.error(), message.topic(), message.partition(), message.offset()
                if error is None and offset is not None:
                    fetched.append(Fetched(f"{topic}/{number}", offset, message.value(), message.timestamp()[1]))
                elif error is not None and error.code() == KafkaError._PARTITION_EOF:
                    unread.discard((str(topic), int(number or 0)))
            waiting.add(fetched)
        return waiting.take(())
    except KafkaException as error:
        raise DependencyUnavailable(
            f"Kafka does not answer: {error.args[0].str()}",
            field="ENDCAP_EVENTS__KAFKA_BOOTSTRAP",
            value=config.bootstrap,
            fix="look at Kafka",
        ) from error
    finally:
        client.close()


def _begins(client: Consumer, topics: Sequence[str], messages: int, seconds: float) -> dict[tuple[str, int], int]:
    """Offsets to begin at, by topic and partition."""
    begins = {}
    for topic in topics:
        known = client.list_topics(topic, timeout=seconds).topics[topic]
        if known.error is not None and known.error.code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
            raise KafkaException(known.error)
        for number in known.partitions if known.error is None else ():
            marks = client.get_watermark_offsets(TopicPartition(topic, number), timeout=seconds)
            if marks is None:
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
            begins[topic, number] = max(marks[0], marks[1] - messages)
    return begins
