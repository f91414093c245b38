"""Kafka's client, with the partitions that it reads: messages taken in as there is room for them."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from endcap.core.log import get_logger
from endcap.events.log.kafka_config import KafkaConfig
from endcap.events.stream.kafka.partition import Partition
from endcap.events.stream.kafka.side_by_side import Fetched, SideBySide

FETCH_SECONDS = 0.25
"""Longest time that is waited for messages in one go."""

_TURN_SECONDS = 0.02
_ANSWER_SECONDS = 1.0
_MESSAGES_AT_ONCE = 500
_LEAST_WAITING = 16 * 1024
_LEAST_FETCHED = 64 * 1024
_LONGEST_WRITTEN = 1_000_000
_MOST_FETCHED = 50 * 1024 * 1024
_RESETS = (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE)
_log = get_logger("stream")


def count_nothing(_: str, __: int) -> None:
    """For counts that nobody reads."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Called with a topic's name and a number of messages.

    Attributes:
        lost: that Kafka deleted before they were read.
        null: without a value.
    """

    lost: Callable[[str, int], None] = count_nothing
    null: Callable[[str, int], None] = count_nothing


class TopicReader:
    """Fetches messages into what waits; for one thread.

    Args:
        config: how Kafka is reached.
        group: of consumers, under which tools see how far this has come; never read.
        most_bytes: of values that are fetched ahead, messages that are longer aside.
        waiting: where they go.
        count_lost: see `Counts`.
        timer: monotonic seconds.

    Attributes:
        partitions: what is read, by name.

    Raises:
        InvalidInput: Kafka's client refuses a setting.
    """

    def __init__(
        self,
        config: KafkaConfig,
        group: str,
        most_bytes: int,
        waiting: SideBySide,
        count_lost: Callable[[str, int], None],
        *,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self.partitions: dict[str, Partition] = {}
        self._most_bytes, self._waiting, self._count_lost, self._timer = most_bytes, waiting, count_lost, timer
        self._said: set[tuple[str, str]] = set()
        self._client = config.opened(Consumer, {**_consumer(config, group, most_bytes), "on_commit": self._committed})

    def read(self, partitions: Mapping[str, Partition]) -> None:
        """Read these from now on, each from where it stands."""
        self.partitions = dict(partitions)
        for each in self.partitions.values():
            each.is_paused, each.end, each.hungry_since = False, None, None
        positions = [
            TopicPartition(each.topic, each.number, OFFSET_BEGINNING if each.next is None else each.next)
            for each in self.partitions.values()
        ]
        self._client.assign(positions)

    def fetch(self) -> None:
        """Take in what Kafka's client has; while there is more and room for it, wait a little.

        Raises:
            KafkaException: the client cannot go on.
        """
        until = self._timer() + FETCH_SECONDS
        messages = self._at_hand()
        while True:
            self._take_in(messages)
            self._look_at_ends()
            if self._is_enough() or self._timer() >= until:
                return
            if self._waiting.bytes >= self._most_bytes:
                self._pause_full()
            messages = self._at_hand()
            if not messages and (message := self._client.poll(_TURN_SECONDS)) is not None:
                messages = [message]

    def resume(self) -> None:
        """Read on where half of what may wait is taken."""
        half = self._share() / 2
        emptied = [each for each in self.partitions.values() if each.is_paused and self._waiting.bytes_of(each.name) < half]
        if emptied:
            self._client.resume([TopicPartition(each.topic, each.number) for each in emptied])
            for each in emptied:
                each.is_paused = False

    def note_stored(self, places: Mapping[str, int]) -> None:
        """Tell Kafka what is stored, for whoever looks at lags."""
        stored = [TopicPartition(each.topic, each.number, places[name]) for name, each in self.partitions.items() if name in places]
        if stored:
            try:
                self._client.commit(offsets=stored, asynchronous=True)
            except KafkaException as error:
                self._committed(error.args[0], stored)

    def close(self) -> None:
        """Let go of Kafka."""
        self._client.close()

    def _is_enough(self) -> bool:
        """Whether each partition that has more has half its share here: the less there is, the less can be taken of all of them."""
        half = self._share() / 2
        return all(each.has_more is False or self._waiting.bytes_of(each.name) >= half for each in self.partitions.values())

    def _share(self) -> int:
        return max(_LEAST_WAITING, self._most_bytes // max(1, len(self.partitions)))

    def _at_hand(self) -> list[Message]:
        """What the client has, about as much as there is room for."""
        # Where there is no room, what comes is of partitions that others wait for: all that have their share are paused.
        messages, room = list[Message](), max(1, self._most_bytes - self._waiting.bytes)
        while room > 0 and (more := self._client.consume(_MESSAGES_AT_ONCE, 0)):
            messages += more
            room -= sum(map(len, more))
        return messages

    def _take_in(self, messages: Iterable[Message]) -> None:
        fetched = list[Fetched]()
        lost_place = dict[str, Partition]()
        for message in messages:
            partition = self.partitions.get(f"{message.topic()}/{message.partition()}")
            error, offset = message.error(), message.offset()
            if partition is None:
                continue
            if error is not None and error.code() in _RESETS:
                lost_place[partition.name] = partition
            elif error is not None:
                self._note(partition, error, offset)
            elif offset is not None and (partition.next is None or offset >= partition.next):
                partition.next = offset + 1
                fetched.append(Fetched(partition.name, offset, message.value(), message.timestamp()[1]))
        self._waiting.add(fetched)
        if lost_place:
            for partition in lost_place.values():
                self._find_place(partition)
            self.read(self.partitions)

    def _note(self, partition: Partition, error: KafkaError, offset: int | None) -> None:
        if error.code() == KafkaError._PARTITION_EOF:
            if offset is not None and offset >= 0:
                partition.next = max(partition.next or 0, offset)
            return
        if (partition.name, error.name()) not in self._said:
            self._said.add((partition.name, error.name()))
            _log.warning("Kafka does not give a partition; it is asked again", partition=partition.name, reason=error.str())

    def _find_place(self, partition: Partition) -> None:
        """Go on at the first message that there is; while Kafka does not tell, where it stands: that is asked again."""
        try:
            marks = self._client.get_watermark_offsets(TopicPartition(partition.topic, partition.number), timeout=_ANSWER_SECONDS)
        except KafkaException:
            return
        if marks is None:
            return
        (first, end), at = marks, partition.next or 0
        if at < first:
            lost = first - at
            _log.error("Kafka deleted messages before they were read; the stream goes on after them", partition=partition.name, lost=lost)
            self._count_lost(partition.topic, lost)
        elif at > end:
            _log.warning("a partition ends before what was read of it; it is read from its beginning", partition=partition.name, end=end)
        else:
            return
        partition.next = first

    def _look_at_ends(self) -> None:
        for each in self.partitions.values():
            marks = self._client.get_watermark_offsets(TopicPartition(each.topic, each.number), cached=True)
            each.end = marks[1] if marks is not None and marks[1] >= 0 else None

    def _pause_full(self) -> None:
        """A partition that has its share here waits for the others. What the client has of it is fetched again, so not before it must."""
        share = self._share()
        full = [each for each in self.partitions.values() if not each.is_paused and self._waiting.bytes_of(each.name) >= share]
        if full:
            self._client.pause([TopicPartition(each.topic, each.number) for each in full])
            for each in full:
                each.is_paused = True

    def _committed(self, error: KafkaError | None, _: Sequence[TopicPartition]) -> None:
        if error is not None and ("commit", error.name()) not in self._said:
            self._said.add(("commit", error.name()))
            _log.warning("Kafka does not note how far the stream is; lags that tools show are wrong, nothing else", reason=error.str())


def _consumer(config: KafkaConfig, group: str, most_bytes: int) -> dict[str, Any]:
    fetched = min(max(most_bytes, _LEAST_FETCHED), _MOST_FETCHED)
    # The client wants this to be no less than the longest message that it may write, which the file may set.
    whole = {} if "message.max.bytes" in config.more else {"fetch.max.bytes": max(fetched, _LONGEST_WRITTEN)}
    return {
        "group.id": group,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        # What Kafka has no more is said and counted, not passed over.
        "auto.offset.reset": "error",
        "enable.partition.eof": True,
        "queued.max.messages.kbytes": fetched // 1024,
        # Little of one partition at a time: the others have their turn, and few need pause.
        "fetch.message.max.bytes": max(_LEAST_FETCHED, fetched // 32),
        "fetch.queue.backoff.ms": 20,
        "fetch.wait.max.ms": 100,
        "fetch.error.backoff.ms": 100,
        **whole,
    }
