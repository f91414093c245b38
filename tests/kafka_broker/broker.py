"""A real Kafka broker for tests: topics with names of their own, rights of its users, and what its topics hold."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AclBinding, AclOperation, AclPermissionType, ResourcePatternType, ResourceType

from endcap.core.polling import poll
from endcap_benchmarks.kafka.broker import ANSWER_SECONDS, USERS, LocalBroker
from endcap_benchmarks.kafka.jars import broker_jars
from tests.maven_cache import required

__all__ = ["ANSWER_SECONDS", "USERS", "KafkaBroker", "running_broker"]


class KafkaBroker(LocalBroker):
    """A broker that is started, stopped and started again at the same addresses with the same data."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, required(broker_jars()))

    def topic(self, partitions: int = 1, **config: str) -> str:
        """Make a topic with a name of its own."""
        name = f"events-{uuid.uuid4().hex}"
        self.make_topic(name, partitions, **config)
        return name

    def allow_writing(self, user: str, topic: str) -> None:
        """Give a user of the guarded listener the right to write to a topic."""
        self._allow(user, topic, AclOperation.WRITE)

    def allow_reading(self, user: str, topic: str) -> None:
        """Give a user of the guarded listener the right to read a topic, in no consumer group."""
        self._allow(user, topic, AclOperation.READ)

    def _allow(self, user: str, topic: str, operation: AclOperation) -> None:
        right = AclBinding(
            *(ResourceType.TOPIC, topic, ResourcePatternType.LITERAL),
            *(f"User:{user}", "*", operation, AclPermissionType.ALLOW),
        )
        for done in self.admin.create_acls([right]).values():
            done.result(ANSWER_SECONDS)

    def messages(self, topic: str, count: int, seconds: float = ANSWER_SECONDS) -> list[Message]:
        """The topic's messages by partition and offset, once there are `count`."""
        client = Consumer({"bootstrap.servers": self.bootstrap, "group.id": uuid.uuid4().hex, "enable.auto.commit": False})
        try:
            partitions = client.list_topics(topic, timeout=ANSWER_SECONDS).topics[topic].partitions
            client.assign([TopicPartition(topic, each, 0) for each in partitions])
            found: list[Message] = []
            until = monotonic() + seconds
            while len(found) < count:
                assert monotonic() < until, f"{len(found)} of {count} messages came"
                found += [message for message in client.consume(1_000, 0.2) if message.error() is None]
            found += [message for message in client.consume(1_000, 0.2) if message.error() is None]
        finally:
            client.close()
        return sorted(found, key=lambda message: (message.partition(), message.offset()))

    def all_messages(self, topic: str) -> list[Message]:
        """The topic's messages by partition and offset, as many as there are now; a broker that comes up is waited for."""
        count = poll(lambda: self._count(topic), every_s=0.2, within_s=ANSWER_SECONDS, is_there=lambda _: True, again_on=KafkaException)
        return self.messages(topic, count)

    def _count(self, topic: str) -> int:
        client = Consumer({"bootstrap.servers": self.bootstrap, "group.id": uuid.uuid4().hex, "enable.auto.commit": False})
        try:
            partitions = client.list_topics(topic, timeout=ANSWER_SECONDS).topics[topic].partitions
            ends = (client.get_watermark_offsets(TopicPartition(topic, each), ANSWER_SECONDS) for each in partitions)
            return sum(end - begin for begin, end in ends)
        finally:
            client.close()


@contextmanager
def running_broker(folder: Path) -> Iterator[KafkaBroker]:
    """A broker that is ended afterwards; the test is skipped with the reason where none can be had."""
    broker = KafkaBroker(folder)
    try:
        broker.start()
        yield broker
    finally:
        broker.stop()
