"""A real Kafka broker of one node for tests: KRaft, loopback only, everything it writes in one folder."""

import base64
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AclBinding, AclOperation, AclPermissionType, AdminClient, NewTopic, ResourcePatternType, ResourceType

from endcap.core.ports import free_ports
from tests.kafka_broker.jars import required_jars

START_SECONDS = 300
"""It takes four on an idle machine."""
ANSWER_SECONDS = 30
USERS = {"shop": "pass-of-shop", "guest": "pass-of-guest"}
"""Names and passwords at the listener that asks for them; whoever uses the other one may do everything."""

_JAVA = ("java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")


class KafkaBroker:
    """A broker that is started, stopped and started again at the same addresses with the same data.

    Attributes:
        bootstrap: host:port where everybody may do everything.
        guarded: host:port that asks for a name and a password (SASL PLAIN) and for rights.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._jars = required_jars()
        plain, guarded, controller = free_ports(3)
        self.bootstrap, self.guarded = f"127.0.0.1:{plain}", f"127.0.0.1:{guarded}"
        self._settings = folder / "server.properties"
        self._settings.write_text(_properties(folder / "data", plain, guarded, controller))
        # A first byte of zero: an id that began with a dash would be taken for an option.
        cluster = base64.urlsafe_b64encode(b"\0" + uuid.uuid4().bytes[1:]).decode().rstrip("=")
        formatting = self._java("kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(self._settings))
        assert formatting.wait(START_SECONDS) == 0, f"Kafka's storage cannot be made: {self._said()}"
        self._process: subprocess.Popen[bytes] | None = None
        self.admin = AdminClient({"bootstrap.servers": self.bootstrap, "reconnect.backoff.max.ms": "250", "log_level": 0})

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._process = self._java("kafka.Kafka", str(self._settings))
        until = monotonic() + START_SECONDS
        while not self._answers():
            assert self._process.poll() is None, f"Kafka ended: {self._said()}"
            assert monotonic() < until, f"Kafka does not answer: {self._said()}"

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """End it at once, as a machine that goes away does; its data stays."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(START_SECONDS)
            self._process = None

    def topic(self, partitions: int = 1, **config: str) -> str:
        """Make a topic with a name of its own."""
        name = f"events-{uuid.uuid4().hex}"
        self.make_topic(name, partitions, **config)
        return name

    def make_topic(self, name: str, partitions: int = 1, **config: str) -> None:
        """Make a topic, and wait until the broker tells of all its partitions; its settings with `_` for each `.`."""
        settings = {each.replace("_", "."): value for each, value in config.items()}
        self.admin.create_topics([NewTopic(name, partitions, 1, config=settings)])[name].result(ANSWER_SECONDS)
        until = monotonic() + ANSWER_SECONDS
        while self._led(name) != partitions:
            assert monotonic() < until, f"the topic has {self._led(name)} of {partitions} partitions"

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
        """The topic's messages by partition and offset, as many as there are now."""
        client = Consumer({"bootstrap.servers": self.bootstrap, "group.id": uuid.uuid4().hex, "enable.auto.commit": False})
        try:
            partitions = client.list_topics(topic, timeout=ANSWER_SECONDS).topics[topic].partitions
            ends = (client.get_watermark_offsets(TopicPartition(topic, each), ANSWER_SECONDS) for each in partitions)
            count = sum(end - begin for begin, end in ends)
        finally:
            client.close()
        return self.messages(topic, count)

    def _led(self, topic: str) -> int:
        """Partitions of a topic that can be written and read."""
        told = self.admin.list_topics(topic, timeout=ANSWER_SECONDS).topics[topic]
        return sum(each.error is None and each.leader >= 0 for each in told.partitions.values()) if told.error is None else 0

    def _answers(self) -> bool:
        try:
            return bool(self.admin.list_topics(timeout=0.5).brokers)
        except KafkaException:
            return False

    def _java(self, program: str, *arguments: str) -> "subprocess.Popen[bytes]":
        with (self._folder / "broker.log").open("ab") as said:
            return subprocess.Popen([*_JAVA, "-cp", f"{self._jars}/*", program, *arguments], stdout=said, stderr=said, cwd=self._folder)

    def _said(self) -> str:
        return (self._folder / "broker.log").read_text(errors="replace")[-2_000:]


@contextmanager
def running_broker(folder: Path) -> Iterator[KafkaBroker]:
    """A broker that is ended afterwards; the test is skipped with the reason where none can be had."""
    broker = KafkaBroker(folder)
    try:
        broker.start()
        yield broker
    finally:
        broker.stop()


def _properties(data: Path, plain: int, guarded: int, controller: int) -> str:
    users = " ".join(f'user_{name}="{password}"' for name, password in USERS.items())
    login = f"org.apache.kafka.common.security.plain.PlainLoginModule required {users};"
    settings = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://127.0.0.1:{plain},SASL_PLAINTEXT://127.0.0.1:{guarded},CONTROLLER://127.0.0.1:{controller}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT",
        "sasl.enabled.mechanisms": "PLAIN",
        "listener.name.sasl_plaintext.plain.sasl.jaas.config": login,
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
        # A broker that was killed is let in again only when its last session is over.
        "broker.session.timeout.ms": 3_000,
        "broker.heartbeat.interval.ms": 500,
        "log.dirs": data,
        "auto.create.topics.enable": "false",
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 1,
        "group.initial.rebalance.delay.ms": 0,
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())
