"""The schemas of topics allow what endcap writes there, and refuse what their contracts refuse by a field alone."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.catalogue.changes.catalogue_change import SubmittedItem, SubmittedItemUpdate, change_of
from endcap.contracts.event import Event
from endcap.contracts.impression import Impression
from endcap.contracts.topic_schema import DIALECT, schema_file_text, schema_text, topic_schema
from endcap.contracts.topics import CATALOGUE, EVENTS, IMPRESSIONS, REJECTED, TOPICS, Topic
from endcap.events.examples import EXAMPLES
from endcap.events.log.batches import Impressions
from tests.endcap.events.log.shown_lists import shown_list
from tests.properties import examples

ID, AT = "5d2c4b8e-6a0e-4d0c-9b53-0c6a7c1a2017", "2026-11-27T08:00:00Z"
NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
EVENT = {"event_id": ID, "event_type": "impression", "occurred_at": AT, "received_at": AT, "session_id": "s", "item_id": "a"}
SHOWN = {**EVENT, "position": 1, "propensity": 0.5}
LETTER = {"letter_id": ID, "kind": "too_late", "reason": "late", "received_at": AT, "key_id": "k", "scope": "browser", "payload": "x"}


def is_allowed(topic: Topic, value: Any) -> bool:
    return bool(jsonschema.Draft7Validator(topic_schema(topic.contract)).is_valid(value))


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.stem)
def test_a_schema_is_one_of_its_dialect_and_explains_each_field(topic: Topic) -> None:
    schema = topic_schema(topic.contract)
    jsonschema.Draft7Validator.check_schema(schema)
    assert schema["$schema"] == DIALECT
    assert schema["additionalProperties"] is False
    assert all(field.get("description") for field in schema["properties"].values())
    assert "$defs" not in json.dumps(schema)


@pytest.mark.parametrize("kind", EXAMPLES)
def test_an_example_of_each_type_is_allowed_as_it_is_stored(kind: Any) -> None:
    example = {name: json.dumps(value) if name == "properties" else value for name, value in EXAMPLES[kind].items()}
    event = Event.model_validate_json(json.dumps({"event_id": ID, "event_type": kind, "occurred_at": AT, "received_at": AT, **example}))
    assert is_allowed(EVENTS, json.loads(event.model_dump_json(exclude_none=True)))
    assert is_allowed(EVENTS, json.loads(event.model_dump_json()))


TEXTS = st.text(max_size=140)


@given(
    item=st.text(min_size=1, max_size=140),
    user=st.none() | TEXTS,
    session=st.none() | TEXTS,
    propensity=st.floats(min_value=1e-30, max_value=1),
    source=TEXTS,
)
@examples(60)
def test_every_list_that_is_served_is_allowed_as_events_and_as_impressions(
    item: str, user: str | None, session: str | None, propensity: float, source: str
) -> None:
    shown = Impressions(
        *("r", user, session, "home", "mobile", [item], [3], [propensity], [source], "1", "default", NOW, True, False, "endcap")
    )
    for line in shown.json_lines().splitlines():
        value = json.loads(line)
        assert is_allowed(EVENTS, value)
        assert is_allowed(IMPRESSIONS, value)
        assert Impression.model_validate_json(line).item_id == value["item_id"]


def test_a_list_without_a_person_is_allowed_too() -> None:
    assert all(is_allowed(IMPRESSIONS, json.loads(line)) for line in shown_list("r1").json_lines().splitlines())


def test_changes_of_the_catalogue_are_allowed() -> None:
    update = SubmittedItemUpdate.model_validate_json('{"item_id": "a", "price": 2.5, "availability": "out_of_stock"}')
    item = SubmittedItem.model_validate_json('{"item_id": "a", "title": "A", "category_path": ["Tea"]}')
    for submitted in (update, item):
        change = change_of(submitted, UUID(ID), NOW, NOW)
        assert is_allowed(CATALOGUE, json.loads(change.model_dump_json(exclude_none=True)))


def test_a_dead_letter_is_allowed() -> None:
    assert is_allowed(REJECTED, LETTER)


@pytest.mark.parametrize(
    ("topic", "value"),
    [
        (EVENTS, {**EVENT, "event_type": "looked"}),
        (EVENTS, {**EVENT, "surprise": 1}),
        (EVENTS, {**EVENT, "schema_version": 2}),
        (EVENTS, {**EVENT, "currency": "euro"}),
        (EVENTS, {name: value for name, value in EVENT.items() if name != "session_id"}),
        (IMPRESSIONS, EVENT),
        (IMPRESSIONS, {**SHOWN, "event_type": "click"}),
        (IMPRESSIONS, {**SHOWN, "propensity": 0}),
        (CATALOGUE, {"item_id": "a", "updated_at": AT}),
        (REJECTED, {**LETTER, "kind": "lost"}),
    ],
)
def test_what_the_contract_refuses_by_a_field_is_not_allowed(topic: Topic, value: dict[str, Any]) -> None:
    assert not is_allowed(topic, value)


def test_equal_schemas_have_the_same_text() -> None:
    one, other = {"a": 1, "b": {"d": 1, "c": "é"}}, {"b": {"c": "é", "d": 1}, "a": 1}
    assert schema_text(one) == schema_text(other) == '{"a":1,"b":{"c":"é","d":1}}'
    assert json.loads(schema_file_text(one)) == other
    assert schema_file_text(one) == schema_file_text(other)
