"""A real Kafka broker of one node: KRaft, loopback only, everything it writes in one folder."""

import base64
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from endcap.core.errors import DependencyUnavailable
from endcap.core.polling import poll
from endcap.core.ports import free_ports

START_SECONDS = 300
"""It takes four on an idle machine."""
ANSWER_SECONDS = 30
USERS = {"shop": "pass-of-shop", "guest": "pass-of-guest"}
"""Names and passwords at the listener that asks for them; whoever uses the other one may do everything."""

_LOOK_EVERY_SECONDS = 0.05
_JAVA = ("java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")


class LocalBroker:
    """A broker that is started, stopped and started again at the same addresses with the same data.

    Args:
        folder: of all that it writes.
        jars: of Kafka.

    Attributes:
        bootstrap: host:port where everybody may do everything.
        guarded: host:port that asks for a name and a password (SASL PLAIN) and for rights.

    Raises:
        DependencyUnavailable: its storage cannot be made.
    """

    def __init__(self, folder: Path, jars: Path) -> None:
        self._folder, self._jars = folder, jars
        plain, guarded, controller = free_ports(3)
        self.bootstrap, self.guarded = f"127.0.0.1:{plain}", f"127.0.0.1:{guarded}"
        self._settings = folder / "server.properties"
        self._settings.write_text(_properties(folder / "data", plain, guarded, controller), encoding="utf-8")
        # A first byte of zero: an id that began with a dash would be taken for an option.
        cluster = base64.urlsafe_b64encode(b"\0" + uuid.uuid4().bytes[1:]).decode().rstrip("=")
        formatting = self._java("kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(self._settings))
        if formatting.wait(START_SECONDS):
            raise self._refused("Kafka's storage cannot be made")
        self._process: subprocess.Popen[bytes] | None = None
        self.admin = AdminClient({"bootstrap.servers": self.bootstrap, "reconnect.backoff.max.ms": "250", "log_level": 0})

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            DependencyUnavailable: it does not.
        """
        process = self._process = self._java("kafka.Kafka", str(self._settings))
        self._await(lambda: process.poll() is not None or self._answers(), START_SECONDS, "Kafka does not answer")
        if process.poll() is not None:
            raise self._refused("Kafka ended")

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """End it at once, as a machine that goes away does; its data stays."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(START_SECONDS)
            self._process = None

    def make_topic(self, name: str, partitions: int = 1, **config: str) -> None:
        """Make a topic, and wait until the broker tells of all its partitions; its settings with `_` for each `.`.

        Raises:
            DependencyUnavailable: it does not.
        """
        settings = {each.replace("_", "."): value for each, value in config.items()}
        self.admin.create_topics([NewTopic(name, partitions, 1, config=settings)])[name].result(ANSWER_SECONDS)
        self._await(lambda: self._led(name) == partitions, ANSWER_SECONDS, f"the topic {name} lacks partitions")

    def _led(self, topic: str) -> int:
        """Partitions of a topic that can be written and read."""
        told = self.admin.list_topics(topic, timeout=ANSWER_SECONDS).topics[topic]
        return sum(each.error is None and each.leader >= 0 for each in told.partitions.values()) if told.error is None else 0

    def _answers(self) -> bool:
        try:
            return bool(self.admin.list_topics(timeout=0.5).brokers)
        except KafkaException:
            return False

    def _await(self, is_so: Callable[[], bool], seconds: float, otherwise: str) -> None:
        if not poll(is_so, every_s=_LOOK_EVERY_SECONDS, within_s=seconds):
            raise self._refused(otherwise)

    def _java(self, program: str, *arguments: str) -> "subprocess.Popen[bytes]":
        with (self._folder / "broker.log").open("ab") as said:
            return subprocess.Popen([*_JAVA, "-cp", f"{self._jars}/*", program, *arguments], stdout=said, stderr=said, cwd=self._folder)

    def _refused(self, what: str) -> DependencyUnavailable:
        log = self._folder / "broker.log"
        return DependencyUnavailable(f"{what}:\n{log.read_text(errors='replace')[-2_000:]}", field=str(log))


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
