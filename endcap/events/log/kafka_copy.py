"""A topic's events copied into the files of an event log, where everything that reads one finds them."""

import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from pydantic import ValidationError

from endcap.contracts.event import Event
from endcap.core.clock import Clock, system_clock
from endcap.core.errors import DependencyUnavailable, InvalidInput
from endcap.core.files import replace_text
from endcap.core.log import get_logger
from endcap.events.log.kafka_config import KafkaConfig
from endcap.events.log.whole_log import OFFSETS_FILE
from endcap.events.log.writer import LogFile, Rotation
from endcap.events.probes.line import is_probe
from endcap.events.schemas.frame import BrokenFrame, opened

_MESSAGES_AT_ONCE = 5_000
_TURN_SECONDS = 0.5
_CONSUMER = {"group.id": "endcap-event-copy", "enable.auto.commit": False, "auto.offset.reset": "earliest", "enable.partition.eof": True}

_FINAL = (KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._AUTHENTICATION)
"""Errors that no waiting mends; of others Kafka's client recovers by itself."""

_log = get_logger("event_log")


class NoSuchTopic(InvalidInput):
    """A topic that is to be copied is not there."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What one copy did, in messages.

    Attributes:
        events: copied.
        refused: left out, since they are no events of the contract; probes are left out too, and counted nowhere.
        missed: deleted by Kafka before this folder had them.
        left: not read for lack of time; the next copy goes on there.
    """

    events: int
    refused: int
    missed: int
    left: int


@dataclass(slots=True)
class _Partition:
    """One partition's messages from `next` up to `end`, which is not one of them."""

    next: int
    end: int
    missed: int


@dataclass(slots=True)
class _Copying:
    """A copy in progress; `open` are the partitions that are not at their end yet."""

    client: Consumer
    topic: str
    file: LogFile
    partitions: dict[int, _Partition]
    events: int = 0
    refused: int = 0
    open: set[int] = field(default_factory=set)

    def run(self, seconds_left: Callable[[], float]) -> None:
        self.open = {number for number, each in self.partitions.items() if each.next < each.end}
        self.client.assign([TopicPartition(self.topic, number, self.partitions[number].next) for number in self.open])
        while self.open and seconds_left() > 0:
            messages = self.client.consume(_MESSAGES_AT_ONCE, _TURN_SECONDS)
            lines = [line for message in messages if (line := self._line(message))]
            self.file.append("".join(lines).encode())
            self.events += len(lines)

    def _line(self, message: Message) -> str:
        """The message as a line of the log; nothing when it is none, or beyond the end."""
        number, offset, error = message.partition(), message.offset(), message.error()
        if error is not None and error.code() in _FINAL:
            raise KafkaException(error)
        if number is None or number not in self.open:
            return ""
        partition = self.partitions[number]
        if error is not None and error.code() == KafkaError._PARTITION_EOF:
            self._end(number)
        if error is not None or offset is None:
            return ""
        is_within = offset < partition.end
        partition.next = min(offset + 1, partition.end)
        if partition.next >= partition.end:
            self._end(number)
        return self._checked(message.value()) if is_within else ""

    def _end(self, number: int) -> None:
        self.open.remove(number)
        self.partitions[number].next = self.partitions[number].end
        self.client.pause([TopicPartition(self.topic, number)])

    def _checked(self, value: bytes | None) -> str:
        try:
            line = opened(value or b"").json
            return "" if is_probe(line) else Event.model_validate_json(line).model_dump_json(exclude_none=True) + "\n"
        except BrokenFrame as error:
            return self._refused("value", error.message)
        except ValidationError as error:
            first = error.errors(include_input=False)[0]
            return self._refused(".".join(map(str, first["loc"])), first["msg"])

    def _refused(self, name: str, reason: str) -> str:
        if not self.refused:
            _log.warning("a message is no event", field=name, reason=reason)
        self.refused += 1
        return ""


def copy_events(
    config: KafkaConfig, folder: Path, seconds: float, clock: Clock = system_clock, timer: Callable[[], float] = monotonic
) -> Copied:
    """Copy what came into the topic since the last copy into this folder, up to what is there now.

    The events are checked against the contract and written as `EventLog` writes them. A copy that breaks off is repeated by the next one:
    events may stand twice, none is left out.

    Args:
        config: how Kafka is reached.
        folder: of an event log; also remembers how far it came.
        seconds: longest time it may take; the rest is left to the next copy.
        clock: names the files.
        timer: monotonic seconds.

    Raises:
        InvalidInput: Kafka's client refuses a setting.
        NoSuchTopic: there is none of this name.
        DependencyUnavailable: Kafka does not answer or refuses, or the disk does.
    """
    until = timer() + seconds

    def seconds_left() -> float:
        return until - timer()

    client = config.opened(Consumer, _CONSUMER)
    file = LogFile(folder, clock, Rotation())
    try:
        cluster, partitions = _partitions(client, config.topic, folder, seconds_left)
        copying = _Copying(client, config.topic, file, partitions)
        copying.run(seconds_left)
        file.close()
        _remember(folder, cluster, config.topic, partitions)
    except KafkaException as error:
        raise DependencyUnavailable(
            f"Kafka does not answer: {error.args[0].str()}",
            field="ENDCAP_EVENTS__KAFKA_BOOTSTRAP",
            value=config.bootstrap,
            fix="look at Kafka",
        ) from error
    except OSError as error:
        raise DependencyUnavailable(f"the disk refused: {error.strerror}", field=str(folder), fix="free or mount it") from error
    finally:
        file.close()
        client.close()
    every = partitions.values()
    return Copied(copying.events, copying.refused, sum(each.missed for each in every), sum(each.end - each.next for each in every))


def _partitions(client: Consumer, topic: str, folder: Path, seconds_left: Callable[[], float]) -> tuple[str, dict[int, _Partition]]:
    """The cluster's id, and what is to be copied of each partition."""

    metadata = client.list_topics(topic, timeout=max(_TURN_SECONDS, seconds_left()))
    known = metadata.topics[topic]
    if known.error is not None:
        if known.error.code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
            raise KafkaException(known.error)
        raise NoSuchTopic("there is no such topic", field="ENDCAP_EVENTS__KAFKA_TOPIC", value=topic, fix="make the topic, or name another")
    cluster = str(metadata.cluster_id)
    before = _remembered(folder, cluster, topic)
    partitions = {}
    for number in sorted(known.partitions):
        first, end = _marks(client, TopicPartition(topic, number), seconds_left)
        come = before.get(number, first)
        # Beyond the end: the topic was deleted and made again.
        start = first if come > end else max(come, first)
        partitions[number] = _Partition(start, end, max(0, first - come))
    return cluster, partitions


def _marks(client: Consumer, partition: TopicPartition, seconds_left: Callable[[], float]) -> tuple[int, int]:
    """Offsets of a partition's first message and of the one after its last; asked again while another broker takes it over."""
    while True:
        try:
            marks = client.get_watermark_offsets(partition, timeout=max(_TURN_SECONDS, seconds_left()))
        except KafkaException as error:
            if error.args[0].code() in _FINAL or seconds_left() <= 0:
                raise
            client.poll(_TURN_SECONDS)
        else:
            if marks is None:
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
            return marks


def _remembered(folder: Path, cluster: str, topic: str) -> Mapping[int, int]:
    """Next offset by partition; none of another cluster or topic."""
    return {number: offset for (of, name, number), offset in _all_remembered(folder).items() if (of, name) == (cluster, topic)}


def _all_remembered(folder: Path) -> dict[tuple[str, str, int], int]:
    """Next offset by cluster, topic and partition."""
    try:
        content = json.loads((folder / OFFSETS_FILE).read_text(encoding="utf-8"))
        # Files of one topic alone are as they were before a copy had several.
        copies = content if content and isinstance(content, list) else [content]
        return {(*map(str, each["of"]), int(number)): int(offset) for each in copies for number, offset in each["next"].items()}  # type: ignore[misc]
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InvalidInput(
            "the file is damaged", field=str(folder / OFFSETS_FILE), fix="remove it: the topic is then copied from its start"
        ) from error


def _remember(folder: Path, cluster: str, topic: str, partitions: Mapping[int, _Partition]) -> None:
    others = defaultdict[tuple[str, str], dict[int, int]](dict)
    for (of, name, number), offset in _all_remembered(folder).items():
        if of == cluster and name != topic:
            others[of, name][number] = offset
    others[cluster, topic] = {number: each.next for number, each in partitions.items()}
    replace_text(folder / OFFSETS_FILE, json.dumps([{"of": list(of), "next": following} for of, following in others.items()]))
