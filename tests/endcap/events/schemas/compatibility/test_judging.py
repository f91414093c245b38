"""What endcap calls compatible is: each value that the old schema allows, the new one allows too."""

from typing import Any

import jsonschema
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from endcap.contracts.topic_schema import topic_schema
from endcap.contracts.topics import TOPICS, Topic
from endcap.events.schemas.compatibility.breaks import Break
from endcap.events.schemas.compatibility.judging import breaks_between, breaks_of_any
from tests.endcap.events.schemas.compatibility.cases import CASES, INTEGER, NUMBER, TEXT, Case, record
from tests.endcap.events.schemas.compatibility.made_schemas import ANY_VALUE, LEAVES, SCHEMAS, changed, objects, values_of
from tests.properties import examples


@given(data=st.data(), old=objects(LEAVES) | SCHEMAS)
@examples(400)
def test_what_is_compatible_reads_each_value_of_before(data: st.DataObject, old: dict[str, Any]) -> None:
    new = data.draw(changed(old))
    assume(not breaks_between(old, new))
    values = data.draw(st.lists(values_of(old) | ANY_VALUE, min_size=5, max_size=12))
    before, now = jsonschema.Draft7Validator(old), jsonschema.Draft7Validator(new)
    assert [value for value in values if before.is_valid(value) and not now.is_valid(value)] == []


@given(schema=SCHEMAS)
@examples(100)
def test_a_schema_is_compatible_with_itself(schema: dict[str, Any]) -> None:
    assert breaks_between(schema, dict(schema)) == ()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.change)
def test_a_change_breaks_the_fields_that_it_should(case: Case) -> None:
    found = breaks_between(case.old, case.new)
    assert tuple(each.field for each in found) == case.breaks
    assert all(each.what and each.fix for each in found)


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.stem)
def test_contracts_are_judged_without_a_keyword_that_is_not(topic: Topic) -> None:
    schema = topic_schema(topic.contract)
    closed = {**schema, "properties": {"another": TEXT, **schema["properties"]}}
    assert breaks_between(schema, closed) == ()
    assert [each.what for each in breaks_between(closed, schema)] == ["was removed, and what was written before may have it"]


def test_every_older_schema_counts_and_a_break_is_said_once() -> None:
    first, second, third = record({"a": TEXT}), record({"a": {"anyOf": [TEXT, INTEGER]}}), record({"a": {"anyOf": [TEXT, NUMBER]}})
    assert breaks_of_any([first, second], third) == ()
    expected = Break("a", "was string and is integer", "keep the type, or allow both")
    assert breaks_of_any([first, first], record({"a": INTEGER})) == (expected,)
    assert [each.what for each in breaks_of_any([record({"a": NUMBER}), record({"a": INTEGER})], record({"a": INTEGER}))] == [
        "was number and is integer"
    ]
