import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from endcap.contracts.event import EventFields
from endcap.contracts.event_type import TYPE_RULES, EventType
from endcap.contracts.submitted_event import SERVED_FIELDS, SubmittedEvent
from endcap.events.examples import EXAMPLES

BASE = {"event_id": "5d2c4b8e-6a0e-5d0c-9b53-0c6a7c1a2017", "occurred_at": "2026-03-01T08:00:00Z"}


def submitted(event_type: str, **changes: Any) -> SubmittedEvent:
    fields = {**BASE, "event_type": event_type, **EXAMPLES[EventType(event_type)], **changes}
    return SubmittedEvent.model_validate_json(json.dumps({name: value for name, value in fields.items() if value != "left out"}))


@pytest.mark.parametrize("event_type", EventType)
def test_every_type_has_an_example_that_fits(event_type: EventType) -> None:
    assert submitted(event_type).event_type is event_type


@pytest.mark.parametrize(("event_type", "field"), [(kind, name) for kind, rule in TYPE_RULES.items() for name in (*rule.needs, *rule.asks)])
def test_what_a_type_needs_is_named_when_it_is_missing(event_type: EventType, field: str) -> None:
    with pytest.raises(ValidationError, match=f"{field} is missing; a {event_type} event needs it"):
        submitted(event_type, **{field: None})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"received_at": "2026-03-01T08:00:00Z"}, "Extra inputs"),
        ({"colour": "red"}, "Extra inputs"),
        ({"sent_at": "2026-03-01T08:00:00"}, "no zone"),
        ({"occurred_at": 1_772_352_000}, "valid datetime"),
        ({"occurred_at": "2026-03-01T09:00:00+01:00"}, "not in UTC"),
        ({"schema_version": 2}, "schema_version"),
        ({"event_id": "00000000-0000-0000-0000-000000000000"}, "stands for no id"),
        ({"session_id": "undefined"}, "stands for no id"),
        ({"session_id": "left out"}, "session_id"),
        ({"item_id": "[object Object]"}, "item_id is missing"),
        ({"quantity": "2"}, "valid number"),
        ({"position": 2**63}, "position"),
        ({"consent": 1}, "consent"),
        ({"experiments": [{"experiment": "a", "variant": "b"}]}, "layer"),
        ({"experiments": [{"experiment": "", "variant": "b", "layer": "c"}]}, "experiment"),
        ({"properties": {"a": 1}}, "properties is for a custom event only"),
        ({"custom_type": "a"}, "custom_type is for a custom event only"),
    ],
)
def test_what_a_sender_must_not_send_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        submitted("product_view", **changes)


@pytest.mark.parametrize("field", SERVED_FIELDS)
def test_only_an_impression_says_how_it_was_served(field: str) -> None:
    with pytest.raises(ValidationError, match=f"{field} is for an impression only"):
        submitted("click", **{field: 0.5 if field == "propensity" else "x"})


@pytest.mark.parametrize("placeholder", ["undefined", "null", "guest", "anonymous", "[object Object]", "0", ""])
def test_a_user_id_that_stands_for_none_is_none(placeholder: str) -> None:
    assert submitted("page_view", user_id=placeholder).user_id is None


def test_consent_that_is_not_said_stays_open() -> None:
    event = submitted("page_view")
    assert (event.consent, event.consent_analytics) == (None, None)


def test_a_sender_may_say_all_that_is_stored_but_the_arrival() -> None:
    assert set(EventFields.model_fields) <= set(SubmittedEvent.model_fields)


@given(st.text(max_size=130))
def test_no_text_breaks_the_contract_itself(text: str) -> None:
    try:
        event = submitted("page_view", user_id=text)
    except ValidationError:
        return
    assert event.user_id is None or event.user_id == text
