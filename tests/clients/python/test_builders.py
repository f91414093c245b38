"""The builders against the contract, which the package does not have."""

import inspect
import json
import types
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.contracts.event import EventFields
from endcap.contracts.event_type import TAKES_OFF, TYPE_RULES, EventType
from endcap.contracts.placeholder_ids import is_no_item, is_no_person
from endcap.contracts.submitted_event import SERVED_FIELDS, SubmittedEvent
from endcap.events.acceptance.scopes import TYPES_OF_SCOPE, Scope
from endcap.events.examples import EXAMPLES
from endcap_client.builders import BUILDERS, Arm
from endcap_client.event import Event, event_text
from tests.properties import examples

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
OF_ENDCAP = {*SERVED_FIELDS, "event_type", "schema_version", "sent_at"}
"""What no shop says, or the client says by itself."""

IDS = st.text(min_size=1, max_size=128).filter(lambda text: not is_no_person(text) and not is_no_item(text))
WORDS = st.text(min_size=1, max_size=64)
ARMS = st.fixed_dictionaries({"experiment": WORDS, "variant": WORDS, "layer": WORDS})
AMOUNTS = st.floats(0.01, 1e9)
VALUES: Mapping[str, st.SearchStrategy[Any]] = {
    "event_id": st.uuids(version=4),
    "occurred_at": st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    **dict.fromkeys(("user_id", "session_id", "order_id", "item_id", "request_id"), IDS),
    **dict.fromkeys(("surface", "device", "channel", "store_id", "variant"), WORDS),
    **dict.fromkeys(("quantity", "unit_price", "unit_discount", "rating"), AMOUNTS),
    **dict.fromkeys(("consent", "consent_analytics"), st.booleans()),
    "currency": st.sampled_from(["EUR", "CHF"]),
    "query": st.text(max_size=512),
    "position": st.integers(1, 1_000_000),
    "dwell_ms": st.integers(0, 86_400_000),
    "experiments": st.lists(ARMS, max_size=3),
    "custom_type": WORDS,
    "properties": st.dictionaries(WORDS, st.one_of(st.integers(-1000, 1000), st.text(), st.booleans()), max_size=3),
}


def parameters(kind: str) -> tuple[dict[str, Any], set[str]]:
    """Annotations of all that a builder takes, and the names it cannot do without."""
    builder = BUILDERS[kind]
    hints = get_type_hints(builder)
    more = get_args(hints["more"])[0]
    named = {name: one for name, one in inspect.signature(builder).parameters.items() if name != "more"}
    needed = {name for name, one in named.items() if one.default is inspect.Parameter.empty}
    return {name: hints[name] for name in named} | get_type_hints(more), needed


def kind_of(annotation: Any) -> set[type]:
    """The plain types of an annotation: of a list or a mapping only that it is one."""
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        return set().union(*(kind_of(part) for part in get_args(annotation))) - {type(None)}
    if origin is not None and isinstance(origin, type):
        return {list if issubclass(origin, Sequence) else dict}
    return {annotation}


@st.composite
def built(draw: st.DrawFn) -> Event:
    kind = draw(st.sampled_from(sorted(BUILDERS)))
    taken, needed = parameters(kind)
    chosen = needed | draw(st.sets(st.sampled_from(sorted(taken.keys() - needed))))
    if "unit_price" in chosen:
        chosen.add("currency")
    if EventType(kind) in TAKES_OFF and not chosen & {"item_id", "order_id"}:
        chosen.add("order_id")
    return BUILDERS[kind](**{name: draw(VALUES[name]) for name in sorted(chosen)})


def judged(event: Event) -> SubmittedEvent:
    text, _ = event_text(event, uuid4(), NOW)
    return SubmittedEvent.model_validate_json(text)


def test_there_is_a_builder_for_each_type_that_a_server_sends() -> None:
    assert set(BUILDERS) == {kind.value for kind in TYPES_OF_SCOPE[Scope.SERVER]}


@pytest.mark.parametrize("kind", sorted(BUILDERS))
def test_a_builder_asks_for_what_the_contract_asks_for(kind: str) -> None:
    rule = TYPE_RULES[EventType(kind)]
    decision = {"consent", "consent_analytics"} if kind.startswith("consent_") else set()
    own = {"properties"} if kind == "custom" else set()
    assert parameters(kind)[1] == {"session_id", *rule.needs, *rule.asks} | decision | own


@pytest.mark.parametrize("kind", sorted(BUILDERS))
def test_what_a_builder_takes_is_of_the_contracts_type(kind: str) -> None:
    for name, annotation in parameters(kind)[0].items():
        assert kind_of(annotation) == kind_of(SubmittedEvent.model_fields[name].annotation), name


def test_together_the_builders_take_every_field_of_the_contract() -> None:
    taken = {name for kind in BUILDERS for name in parameters(kind)[0]}
    assert taken == SubmittedEvent.model_fields.keys() - OF_ENDCAP
    assert EventFields.model_fields.keys() - SubmittedEvent.model_fields.keys() == set()


def test_an_arm_of_an_experiment_is_the_contracts() -> None:
    (arm,) = get_args(get_args(SubmittedEvent.model_fields["experiments"].annotation)[0])
    assert get_type_hints(Arm) == {name: field.annotation for name, field in arm.model_fields.items()}


@pytest.mark.parametrize("kind", sorted(BUILDERS))
def test_a_builder_makes_the_example_of_its_type(kind: str) -> None:
    text, _ = event_text(BUILDERS[kind](**EXAMPLES[EventType(kind)]), UUID(int=7), NOW)
    shown = {"event_id": str(UUID(int=7)), "event_type": kind, "occurred_at": "2026-03-01T08:00:00Z", **EXAMPLES[EventType(kind)]}
    assert json.loads(text) == shown


@given(built())
@examples(200)
def test_whatever_is_built_fits_the_contract(event: Event) -> None:
    assert judged(event).event_type == event.event_type
