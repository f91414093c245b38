"""Schemas put into a real registry, and read back from there."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest

from endcap.contracts.topics import TOPICS, value_subject
from endcap.core.errors import SchemaIncompatible
from endcap.core.settings import EventSettings
from endcap.events.schemas.publishing import Outcome, published, topic_names
from endcap.events.schemas.registry import SchemaRegistry, open_registry
from endcap.events.schemas.released import newest_schema, released_schemas, write_version
from tests.endcap.events.schemas.compatibility.cases import TEXT, record
from tests.schema_registry.apicurio import ApicurioRegistry

FIRST, SECOND = record({"a": TEXT}), record({"a": TEXT, "b": TEXT})


@pytest.fixture
def registry(registry_server: ApicurioRegistry) -> Iterator[SchemaRegistry]:
    with closing(open_registry(registry_server.settings)) as opened:
        yield opened


@pytest.fixture
def names() -> EventSettings:
    """Topics of their own, so that tests share a registry."""
    prefix = f"shop-{uuid4().hex}"
    return EventSettings(topic_prefix=prefix, kafka_topic=f"{prefix}.events.v1")


def test_all_topics_have_their_schema_and_a_second_time_changes_nothing(registry: SchemaRegistry, names: EventSettings) -> None:
    first = published(registry, names, is_dry_run=False)
    expected = [(topic.named(names.topic_prefix), each.number) for topic in TOPICS for each in released_schemas(topic.stem)]
    assert [(each.subject, each.number) for each in first] == [(value_subject(name), number) for name, number in expected]
    assert all((each.outcome, each.version) == (Outcome.REGISTERED, each.number) for each in first)
    again = published(registry, names, is_dry_run=False)
    newest = {each.subject: (each.version, each.id) for each in first}
    assert {each.subject: (each.version, each.id) for each in again} == newest
    assert {each.outcome for each in again} == {Outcome.THERE}


def test_the_schema_behind_an_id_is_the_one_that_was_released(registry: SchemaRegistry, names: EventSettings) -> None:
    newest = {each.subject: each.id for each in published(registry, names, is_dry_run=False)}
    for topic in TOPICS:
        found = newest[value_subject(topic.named(names.topic_prefix))]
        assert found is not None
        assert registry.schema_of(found) == newest_schema(topic.stem).text


def test_a_dry_run_changes_nothing(registry: SchemaRegistry, names: EventSettings) -> None:
    would = published(registry, names, is_dry_run=True)
    assert {(each.outcome, each.version, each.id) for each in would} == {(Outcome.WOULD_REGISTER, None, None)}
    assert registry.found(would[0].subject, newest_schema("events.v1").text) is None


def versions(folder: Path, *schemas: dict[str, object]) -> Path:
    """A folder of released schemas in which every topic has these."""
    for topic in TOPICS:
        for schema in schemas:
            write_version(topic.stem, schema, folder)
    return folder


def test_what_is_newer_than_the_registrys_newest_is_registered_in_its_order(
    registry: SchemaRegistry, names: EventSettings, tmp_path: Path
) -> None:
    both = versions(tmp_path / "both", FIRST, SECOND)
    published(registry, names, is_dry_run=False, folder=versions(tmp_path / "first", FIRST))
    rows = published(registry, names, is_dry_run=False, folder=both)[:2]
    assert [(row.number, row.version, row.outcome) for row in rows] == [(1, 1, Outcome.THERE), (2, 2, Outcome.REGISTERED)]
    again = published(registry, names, is_dry_run=False, folder=both)
    assert {(row.number, row.version, row.outcome) for row in again} == {(2, 2, Outcome.THERE)}


def test_a_schema_that_breaks_readers_is_refused_by_the_registry(registry: SchemaRegistry, names: EventSettings, tmp_path: Path) -> None:
    published(registry, names, is_dry_run=False, folder=versions(tmp_path / "before", SECOND))
    with pytest.raises(SchemaIncompatible, match=f"{names.topic_prefix}.events.v1-value: the schema registry refuses the schema"):
        published(registry, names, is_dry_run=False, folder=versions(tmp_path / "now", record({"a": TEXT}, ("a",))))


def test_the_event_logs_topic_is_one_more_where_it_has_another_name() -> None:
    own = [topic.named("endcap") for topic in TOPICS]
    assert topic_names(EventSettings()) == own
    assert topic_names(EventSettings(kafka_topic="shown")) == [*own, "shown"]


def test_confluents_own_deserializer_reads_a_framed_value(
    registry: SchemaRegistry, registry_server: ApicurioRegistry, names: EventSettings
) -> None:
    json_schema = pytest.importorskip("confluent_kafka.schema_registry.json_schema", reason="Confluent's registry client is not installed")
    from confluent_kafka.schema_registry import SchemaRegistryClient
    from confluent_kafka.serialization import MessageField, SerializationContext

    from endcap.events.schemas.frame import framed
    from tests.endcap.events.log.shown_lists import shown_list

    impressions = published(registry, names, is_dry_run=False)[1]
    assert impressions.id is not None
    line = shown_list("r1", 1).json_lines().strip().encode()
    read = json_schema.JSONDeserializer(None, schema_registry_client=SchemaRegistryClient({"url": registry_server.url}))
    context = SerializationContext(f"{names.topic_prefix}.impressions.v1", MessageField.VALUE)
    assert read(framed(impressions.id, line), context)["request_id"] == "r1"
