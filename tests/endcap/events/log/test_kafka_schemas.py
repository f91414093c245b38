"""Framed values in a real Kafka, by the ids of a real registry, beside plain ones."""

from contextlib import closing
from pathlib import Path

from confluent_kafka import Producer
from structlog.testing import capture_logs

from endcap.contracts.event import Event
from endcap.contracts.impression import Impression
from endcap.core.settings import EventSettings, SchemasSettings, Settings
from endcap.events.log.kafka_config import kafka_config
from endcap.events.log.kafka_copy import Copied, copy_events
from endcap.events.log.open import open_event_log
from endcap.events.log.reader import read_events
from endcap.events.schemas.frame import framed, opened
from endcap.events.schemas.publishing import published
from endcap.events.schemas.registry import open_registry
from tests.endcap.events.log.shown_lists import shown_list
from tests.kafka_broker.broker import KafkaBroker
from tests.schema_registry.apicurio import ApicurioRegistry

SECONDS = 60


def settings_of(broker: KafkaBroker, home: Path, schemas: SchemasSettings) -> Settings:
    events = EventSettings(kafka_bootstrap=broker.bootstrap, kafka_topic=broker.topic())
    return Settings(home=home, events=events, schemas=schemas)


def emit(settings: Settings, *request_ids: str) -> int:
    """Emit a list a request; how many events went without a frame though a registry is set."""
    plain: list[int] = []
    log = open_event_log(settings, count_plain=plain.append)
    for request_id in request_ids:
        log.emit(shown_list(request_id))
    log.close(30)
    assert log.dropped == 0
    return sum(plain)


def test_with_a_registry_values_are_framed_by_its_id_and_copied_as_before(
    broker: KafkaBroker, registry_server: ApicurioRegistry, tmp_path: Path
) -> None:
    settings = settings_of(broker, tmp_path, registry_server.settings)
    with closing(open_registry(settings.schemas)) as registry:
        rows = {each.subject: each.id for each in published(registry, settings.events, is_dry_run=False)}
    assert emit(settings, "a", "b") == 0
    values = [opened(message.value()) for message in broker.messages(settings.events.kafka_topic, 8)]
    assert {value.schema_id for value in values} == {rows[f"{settings.events.kafka_topic}-value"]}
    assert [Event.model_validate_json(value.json).request_id for value in values] == ["a"] * 4 + ["b"] * 4
    assert copy_events(kafka_config(settings.events), tmp_path / "copy", SECONDS) == Copied(8, 0, 0, 0)
    assert read_events(tmp_path / "copy").collect()["request_id"].unique().sort().to_list() == ["a", "b"]


def test_lists_that_were_shown_go_to_their_own_topic_framed_by_its_schema(
    broker: KafkaBroker, registry_server: ApicurioRegistry, tmp_path: Path
) -> None:
    prefix = broker.topic()
    events = EventSettings(kafka_bootstrap=broker.bootstrap, topic_prefix=prefix)
    settings = Settings(home=tmp_path, events=events, schemas=registry_server.settings)
    broker.make_topic(f"{prefix}.impressions.v1")
    with closing(open_registry(settings.schemas)) as registry:
        rows = {each.subject: each.id for each in published(registry, events, is_dry_run=False)}
    assert emit(settings, "a") == 0
    values = [opened(message.value()) for message in broker.messages(f"{prefix}.impressions.v1", 4)]
    assert {value.schema_id for value in values} == {rows[f"{prefix}.impressions.v1-value"]}
    assert [Impression.model_validate_json(value.json).position for value in values] == [1, 2, 3, 4]


def test_without_the_registrys_answer_values_are_plain_counted_and_copied(broker: KafkaBroker, tmp_path: Path) -> None:
    settings = settings_of(broker, tmp_path, SchemasSettings(registry_url="http://127.0.0.1:1"))
    assert emit(settings, "a") == 4
    assert all(opened(message.value()).schema_id is None for message in broker.messages(settings.events.kafka_topic, 4))
    assert copy_events(kafka_config(settings.events), tmp_path / "copy", SECONDS) == Copied(4, 0, 0, 0)


def test_a_copy_takes_framed_and_plain_values_and_refuses_other_bytes(broker: KafkaBroker, tmp_path: Path) -> None:
    settings = settings_of(broker, tmp_path, SchemasSettings())
    line = shown_list("good", 1).json_lines().strip().encode()
    producer = Producer({"bootstrap.servers": broker.bootstrap})
    for value in (framed(5, line), line, framed(6, b"no event"), b"\x00\x00", b"\x01" + line, b""):
        producer.produce(settings.events.kafka_topic, value)
    assert producer.flush(30) == 0
    with capture_logs() as lines:
        assert copy_events(kafka_config(settings.events), tmp_path / "copy", SECONDS) == Copied(2, 4, 0, 0)
    assert [line["event"] for line in lines] == ["a message is no event"]
