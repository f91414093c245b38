from collections.abc import Callable
from types import SimpleNamespace

from confluent_kafka import KafkaError, KafkaException

from endcap_collector.spool.probe_partitions import BY_KEY, ProbePartitions


class Client:
    """Says how many partitions a topic has, or that Kafka is away."""

    def __init__(self, partitions: int | None) -> None:
        self.partitions = partitions
        self.asked = 0

    def list_topics(self, topic: str, timeout: float) -> SimpleNamespace:
        self.asked += 1
        if self.partitions is None:
            raise KafkaException(KafkaError(KafkaError._TRANSPORT))
        found = SimpleNamespace(partitions=dict.fromkeys(range(self.partitions)), error=None)
        return SimpleNamespace(topics={topic: found})


def dealt(partitions: ProbePartitions, client: Client, count: int) -> list[int]:
    return [partitions.next(client) for _ in range(count)]


def timer(seconds: list[float]) -> Callable[[], float]:
    return lambda: seconds[0]


def test_each_partition_has_its_turn() -> None:
    client = Client(3)
    assert sorted(dealt(ProbePartitions("t", timer([0.0])), client, 9)) == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert client.asked == 1


def test_while_kafka_is_away_probes_go_by_their_key_and_it_is_asked_now_and_then() -> None:
    now, client = [0.0], Client(None)
    partitions = ProbePartitions("t", timer(now))
    assert dealt(partitions, client, 1_000) == [BY_KEY] * 1_000
    assert client.asked == 1
    now[0], client.partitions = 31.0, 2
    assert set(dealt(partitions, client, 4)) == {0, 1}


def test_partitions_that_are_added_have_their_turn_and_a_failed_question_changes_nothing() -> None:
    now, client = [0.0], Client(2)
    partitions = ProbePartitions("t", timer(now))
    assert set(dealt(partitions, client, 4)) == {0, 1}
    now[0], client.partitions = 31.0, None
    assert set(dealt(partitions, client, 4)) == {0, 1}
    now[0], client.partitions = 62.0, 4
    assert set(dealt(partitions, client, 8)) == {0, 1, 2, 3}


def test_a_topic_that_became_another_one_is_asked_about_at_once() -> None:
    client = Client(4)
    partitions = ProbePartitions("t", timer([0.0]))
    dealt(partitions, client, 1)
    client.partitions = 1
    partitions.forget()
    assert set(dealt(partitions, client, 4)) == {0}
