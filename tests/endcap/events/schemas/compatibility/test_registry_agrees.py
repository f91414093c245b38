"""A real registry is asked the same as endcap's own rules: where the two differ, endcap's are the stricter ones, and the page says so."""

import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from endcap.contracts.topic_schema import schema_text, topic_schema
from endcap.contracts.topics import TOPICS, Topic
from endcap.core.errors import SchemaIncompatible
from endcap.events.schemas.compatibility.judging import breaks_between
from endcap.events.schemas.registry import SchemaRegistry, open_registry
from tests.docs.page import ROOT
from tests.endcap.events.schemas.compatibility.cases import CASES, TEXT, Case, of_field
from tests.endcap.events.schemas.compatibility.made_schemas import FIELDS, changed, nullable
from tests.properties import examples
from tests.schema_registry.apicurio import ApicurioRegistry

VERDICTS = {False: "compatible", True: "breaks"}


@pytest.fixture(scope="module")
def registry(registry_server: ApicurioRegistry) -> Iterator[SchemaRegistry]:
    with closing(open_registry(registry_server.settings)) as opened:
        yield opened


def subject_of(registry: SchemaRegistry, schema: str) -> str:
    """A subject of its own that has the schema."""
    subject = f"{uuid4().hex}-value"
    registry.register(subject, schema)
    assert registry.set_mode(subject)
    return subject


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.change)
def test_the_registry_says_of_a_change_what_the_rules_say_or_less(registry: SchemaRegistry, case: Case) -> None:
    subject = subject_of(registry, schema_text(case.old))
    objections = registry.objections(subject, schema_text(case.new))
    assert bool(objections) is case.registry_refuses, objections
    assert bool(case.breaks) or not case.registry_refuses, "endcap's rules would let through what the registry refuses"


@given(data=st.data(), field=FIELDS)
@examples(200)
def test_the_registry_takes_whatever_the_rules_let_through(registry: SchemaRegistry, data: st.DataObject, field: dict[str, Any]) -> None:
    old, new = of_field(field, data.draw(changed(field) | FIELDS | st.builds(nullable, st.just(field))))
    assume(not breaks_between(old, new))
    assert registry.objections(subject_of(registry, schema_text(old)), schema_text(new)) == ()


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.stem)
def test_the_registry_takes_and_refuses_changes_of_the_contracts_as_the_rules_do(registry: SchemaRegistry, topic: Topic) -> None:
    schema = topic_schema(topic.contract)
    more = {**schema, "properties": {**schema["properties"], "another": {"anyOf": [TEXT, {"type": "null"}], "default": None}}}
    subject = subject_of(registry, schema_text(schema))
    assert (breaks_between(schema, more), registry.objections(subject, schema_text(more))) == ((), ())
    registry.register(subject, schema_text(more))
    assert breaks_between(more, schema)
    needed = {**more, "required": [*more["required"], "another"]}
    with pytest.raises(SchemaIncompatible, match=r"ncompatible"):
        registry.register(subject, schema_text(needed))


def test_the_page_has_each_change_with_both_verdicts() -> None:
    page = (ROOT / "docs" / "schemas.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|`]+) \| (compatible|breaks) \| (compatible|breaks) \|$", page, re.MULTILINE)
    assert rows == [(case.change, VERDICTS[bool(case.breaks)], VERDICTS[case.registry_refuses]) for case in CASES]
