"""All parts that events pass, as processes of their own, each of which may be killed."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.endcap.features.store.redis_server import RedisServer
from tests.kafka_broker.broker import KafkaBroker
from tests.schema_registry.apicurio import ApicurioRegistry, running_registry
from tests.services.running_parts import RunningParts, running_parts
from tests.services.stream.kafka.stream_topics import make_topics
from tests.services.stream.kafka.test_registry_kill import publish
from tests.services.stream.redis_home import RedisHome

PARTS = ("collector", "broker", "stream", "registry", "redis")


@dataclass(frozen=True, slots=True)
class Shop:
    """Attributes:
    home: with features in Redis.
    topics: the prefix of this shop's topics.
    """

    home: RedisHome
    topics: str
    parts: RunningParts
    broker: KafkaBroker
    registry: ApicurioRegistry
    redis: RedisServer

    def kill(self, part: str) -> None:
        """End a part at once, as by SIGKILL."""
        ends = {
            "collector": self.parts.kill_collector,
            "stream": self.parts.kill_stream,
            "broker": self.broker.stop,
            "registry": self.registry.kill,
            "redis": self.redis.stop,
        }
        ends[part]()

    def start(self, part: str) -> None:
        """Start a part again that was killed."""
        starts = {
            "collector": self.parts.start_collector,
            "stream": self.parts.start_stream,
            "broker": self.broker.start,
            "registry": self.registry.start,
            "redis": self.redis.start,
        }
        starts[part]()


@contextmanager
def running_shop(home: RedisHome, broker: KafkaBroker, redis: RedisServer, folder: Path) -> Iterator[Shop]:
    """All parts run at the beginning, and none but the broker and Redis, which are the caller's, afterwards."""
    with running_registry(folder) as registry:
        topics = make_topics(broker)
        publish(registry, topics)
        settings: Mapping[str, str] = {
            **home.environment,
            "ENDCAP_EVENTS__KAFKA_BOOTSTRAP": broker.bootstrap,
            "ENDCAP_EVENTS__TOPIC_PREFIX": topics,
            "ENDCAP_SCHEMAS__REGISTRY_URL": registry.url,
            "ENDCAP_SCHEMAS__REFRESH_SECONDS": "5",
            "ENDCAP_OUTCOMES__WRITE_SECONDS": "5",
        }
        with running_parts(home.settings.home, settings) as parts:
            try:
                yield Shop(home, topics, parts, broker, registry, redis)
            finally:
                if not broker.is_running:
                    broker.start()
