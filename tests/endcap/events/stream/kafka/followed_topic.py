"""Topics that a test writes to and follows."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

from confluent_kafka import Producer

from endcap.core.settings import EventSettings
from endcap.events.log.kafka_config import kafka_config
from endcap.events.stream.following import Arrived, FoundLine
from endcap.events.stream.kafka.following import TopicFollower
from endcap.events.stream.kafka.reading import Counts
from tests.endcap.events.stream.streamed_events import BEGIN, event
from tests.endcap.events.stream.test_following import line
from tests.kafka_broker.broker import ANSWER_SECONDS, KafkaBroker
from tests.waiting import until

NOW = BEGIN + timedelta(days=1)


def value(name: str, seconds: float = 0, arrives: float | None = None) -> bytes:
    """An event as a message's value."""
    return line(name, seconds, arrives).strip()


def ids(names: Iterable[str]) -> list[str]:
    """Ids of events, sorted."""
    return sorted(str(event(name, 0, "page_view")["event_id"]) for name in names)


def send(broker: KafkaBroker, topic: str, values: Iterable[tuple[int, bytes | None]]) -> None:
    """Write values to partitions, and wait until the broker has them."""
    refused: list[object] = []
    producer = Producer({"bootstrap.servers": broker.bootstrap, "linger.ms": 5, "reconnect.backoff.max.ms": 250})
    for partition, each in values:
        producer.produce(topic, each, partition=partition, on_delivery=lambda error, _: refused.append(error) if error else None)
    assert producer.flush(ANSWER_SECONDS) == 0
    assert not refused, refused


class Followed:
    """A follower and the places that are stored of it.

    Args:
        broker: that has the topics.
        topics: their names.
        batch_bytes: see `TopicFollower`.
        timer: monotonic seconds.
    """

    def __init__(
        self, broker: KafkaBroker, topics: Sequence[str], batch_bytes: int = 1 << 20, timer: Callable[[], float] | None = None
    ) -> None:
        self.places = dict[str, int]()
        self.event_ids, self.broken, self.arrivals = list[str](), list[FoundLine](), list[float]()
        self.lost, self.null = dict[str, int](), dict[str, int]()
        self.gone = list[str]()
        self._config = kafka_config(EventSettings(kafka_bootstrap=broker.bootstrap))
        self._topics, self._batch_bytes, self._timer = topics, batch_bytes, timer
        self.follower = self._opened()

    def look(self) -> Arrived:
        """One look, whose places are stored."""
        arrived = self.follower.look(self.places)
        arrived.note_in(self.places)
        self.event_ids += arrived.events["event_id"].to_list()
        self.arrivals += arrived.events["received_at"].dt.timestamp("ms").to_list()
        self.broken += arrived.broken
        self.gone += arrived.gone
        return arrived

    def until(self, holds: Callable[[Arrived], object], what: str) -> Arrived:
        """Looks until one is so."""
        found: list[Arrived] = []

        def is_found() -> bool:
            arrived = self.look()
            found[:] = [arrived]
            return bool(holds(arrived))

        until(is_found, what)
        return found[0]

    def until_events(self, count: int) -> None:
        """Looks until so many events came."""
        self.until(lambda _: len(self.event_ids) >= count, f"{count} events")

    def restart(self) -> None:
        """Another follower, from the places on."""
        self.follower.close()
        self.follower = self._opened()

    def _opened(self) -> TopicFollower:
        def add_to(counts: dict[str, int]) -> Callable[[str, int], None]:
            return lambda topic, messages: counts.update({topic: counts.get(topic, 0) + messages})

        given = {} if self._timer is None else {"timer": self._timer}
        counts = Counts(add_to(self.lost), add_to(self.null))
        return TopicFollower(self._config, self._topics, "followed", self._batch_bytes, counts=counts, clock=lambda: NOW, **given)


@contextmanager
def followed(broker: KafkaBroker, *topics: str, batch_bytes: int = 1 << 20, timer: Callable[[], float] | None = None) -> Iterator[Followed]:
    """A follower that is closed afterwards."""
    following = Followed(broker, topics, batch_bytes, timer)
    try:
        yield following
    finally:
        following.follower.close()
