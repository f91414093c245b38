"""Following topics of Kafka: each message once by the places that are stored with the state, all partitions in one order."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from confluent_kafka import KafkaException

from endcap.core.clock import Clock, system_clock
from endcap.core.errors import DependencyUnavailable
from endcap.core.log import get_logger
from endcap.events.log.kafka_config import KafkaConfig
from endcap.events.stream.following import Arrived, Read
from endcap.events.stream.kafka.partition import Partition, identity_place
from endcap.events.stream.kafka.reading import Counts, TopicReader
from endcap.events.stream.kafka.side_by_side import SideBySide, Together
from endcap.events.stream.kafka.topic_watch import KnownTopic, TopicWatch
from endcap.events.stream.lines import read_lines

PATIENCE_SECONDS = 10.0
"""For a partition that says nothing; then the others go on without it."""

HOLD_SECONDS = 60.0
"""The watermark waits for events so long after a start, and after an outage: what waited elsewhere meanwhile is on its way."""

COMMIT_EVERY_SECONDS = 5.0
_log = get_logger("stream")


class TopicFollower:
    """Reads what is new in topics. Kafka need not be there, nor the topics.

    All partitions are read side by side by the moment at which events arrived, so that after hours away no event looks late because another
    partition was read first. What is taken is bounded by `batch_bytes`, as is what waits here and in Kafka's client; longer messages aside.
    Places are offsets of next messages by `topic/number`, and the identity of each topic.

    Args:
        config: how Kafka is reached.
        topics: their names.
        group: of consumers, under which tools see how far this has come; never read.
        batch_bytes: bytes of values that one look takes, or a little more.
        read: reads lines; of events unless it is given.
        counts: where it is counted.
        clock: the present, UTC.
        timer: monotonic seconds.

    Raises:
        InvalidInput: Kafka's client refuses a setting.
    """

    def __init__(
        self,
        config: KafkaConfig,
        topics: Sequence[str],
        group: str,
        batch_bytes: int,
        *,
        read: Read = read_lines,
        counts: Counts | None = None,
        clock: Clock = system_clock,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        counts = counts or Counts()
        self._clock, self._timer = clock, timer
        self._waiting = SideBySide(read, clock, counts.null)
        self._reader = TopicReader(config, group, batch_bytes, self._waiting, counts.lost, timer=timer)
        self._watch = TopicWatch(config, topics)
        self._handed: dict[str, int] = {}
        self._held_until = timer() + HOLD_SECONDS
        self._commit_again_at = 0.0
        self._silent: set[str] = set()
        self._watch.start()

    def look(self, places: Mapping[str, int]) -> Arrived:
        """What is new; see `Follower`.

        Raises:
            DependencyUnavailable: Kafka's client cannot go on; the same is looked at again.
        """
        try:
            return self._look(places)
        except KafkaException as error:
            raise DependencyUnavailable(
                f"Kafka's client cannot read: {error.args[0].str()}", field="ENDCAP_EVENTS__KAFKA_BOOTSTRAP", fix="look at Kafka"
            ) from error

    def close(self) -> None:
        """Let go of Kafka."""
        self._watch.close()
        self._reader.close()

    def _look(self, places: Mapping[str, int]) -> Arrived:
        if any(places.get(name) != place for name, place in self._handed.items()):
            self._begin_again()
        changed, gone = self._bring_up(places)
        self._reader.fetch()
        together = self._taken()
        changed |= together.next
        gone = [name for name in gone if name not in changed]
        self._handed = {name: place for name, place in self._handed.items() if name not in gone} | changed
        self._reader.resume()
        if self._timer() >= self._commit_again_at:
            self._commit_again_at = self._timer() + COMMIT_EVERY_SECONDS
            self._reader.note_stored(places)
        is_cut_off = bool(self._silent) or not self._watch.seen.is_whole
        has_more = self._waiting.bytes > 0 or any(each.has_more for each in self._reader.partitions.values())
        holds = self._holds(together, is_cut_off=is_cut_off)
        is_behind = has_more and not is_cut_off
        return Arrived(together.events, together.broken, changed, gone, is_behind, is_cut_off, holds, together.probes)

    def _begin_again(self) -> None:
        """What the last look gave was not stored: read from the places on."""
        self._waiting.clear()
        self._reader.read({})
        self._handed.clear()

    def _bring_up(self, places: Mapping[str, int]) -> tuple[dict[str, int], list[str]]:
        """Read the partitions that there are now; places that are new, and those that are no more."""
        changed, gone = dict[str, int](), list[str]()
        reading, wanted = self._reader.partitions, dict[str, Partition]()
        for topic, known in self._watch.seen.topics.items():
            is_anew = self._is_anew(topic, known, places, changed)
            for number in sorted(known.partitions):
                partition = Partition(topic, number)
                if not is_anew:
                    partition.next = places.get(partition.name)
                    partition = reading.get(partition.name, partition)
                wanted[partition.name] = partition
            of_topic = [name for name in places if name.startswith(f"{topic}/") and name != identity_place(topic)]
            gone += [name for name in of_topic if is_anew or name not in wanted]
        if len(wanted) != len(reading) or any(wanted.get(name) is not each for name, each in reading.items()):
            self._reader.read(wanted)
        return changed, gone

    def _is_anew(self, topic: str, known: KnownTopic, places: Mapping[str, int], changed: dict[str, int]) -> bool:
        """Whether the topic is another one of the same name; its identity is noted where it is news."""
        name = identity_place(topic)
        if not known.identity or places.get(name) == known.identity:
            return False
        changed[name] = known.identity
        if name not in places:
            return False
        _log.warning("a topic was deleted and made anew; it is read from its beginning", topic=topic)
        self._waiting.clear()
        for each in self._reader.partitions.values():
            each.next = places.get(each.name)
        return True

    def _taken(self) -> Together:
        """What all partitions have come to; nothing while one of them is waited for."""
        self._silent &= self._reader.partitions.keys()
        hungry = [each for each in self._reader.partitions.values() if self._is_hungry(each)]
        if hungry:
            return self._waiting.take(None)
        return self._waiting.take([name for name, each in self._reader.partitions.items() if each.has_more and self._waiting.has(name)])

    def _is_hungry(self, partition: Partition) -> bool:
        """Whether others have to wait for it: nobody knows yet what comes next of it. Who keeps them waiting too long is silent."""
        if partition.has_more is False or self._waiting.has(partition.name):
            partition.hungry_since = None
            self._silent.discard(partition.name)
            return False
        now = self._timer()
        if partition.hungry_since is None:
            partition.hungry_since = now
        if now - partition.hungry_since < PATIENCE_SECONDS:
            return partition.name not in self._silent
        if partition.name not in self._silent:
            self._silent.add(partition.name)
            _log.warning("a partition says nothing; the others go on without it", partition=partition.name, seconds=PATIENCE_SECONDS)
        return False

    def _holds(self, together: Together, *, is_cut_off: bool) -> bool:
        """Whether the watermark is held: nobody can see, or what came was long under way, so that more of it may be."""
        now, oldest = self._timer(), together.events["received_at"].min()
        is_of_before = isinstance(oldest, datetime) and oldest < self._clock() - timedelta(seconds=HOLD_SECONDS)
        if is_cut_off or is_of_before:
            self._held_until = now + HOLD_SECONDS
        return now < self._held_until
