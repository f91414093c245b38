"""A probe is marked so that nothing takes it for an event, nobody can send one, and nobody can ask for its row."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import jsonschema
import pytest
from pydantic import BaseModel, ValidationError

from endcap.contracts.event import Event
from endcap.contracts.event_type import TYPE_RULES, EventType
from endcap.contracts.logged_event import LoggedEvent, LoggedType
from endcap.contracts.probe import ONLINE_ID, PROBE, Probe
from endcap.contracts.request import Instance
from endcap.contracts.submitted_event import SubmittedEvent
from endcap.contracts.topic_schema import topic_schema
from endcap.contracts.topics import EVENTS, IMPRESSIONS
from endcap.core.person_ids import PersonIds

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
MADE = Probe(event_id=UUID(int=1), occurred_at=NOW, received_at=NOW, session_id="collector a")
TEXT = MADE.model_dump_json()


def test_the_topic_of_events_has_probes_and_no_other_contract_does() -> None:
    assert jsonschema.Draft7Validator(topic_schema(EVENTS.contract)).is_valid(json.loads(TEXT))
    assert not jsonschema.Draft7Validator(topic_schema(IMPRESSIONS.contract)).is_valid(json.loads(TEXT))
    assert LoggedEvent.model_validate_json(TEXT).event_type == PROBE
    for contract in (Event, SubmittedEvent):
        with pytest.raises(ValidationError, match="event_type"):
            contract.model_validate_json(TEXT)


def test_a_probe_is_no_type_of_what_customers_do() -> None:
    assert PROBE not in set(EventType)
    assert [kind.value for kind in LoggedType] == [*(kind.value for kind in EventType), PROBE]


@pytest.mark.parametrize("kind", [kind for kind in EventType if TYPE_RULES[kind].needs])
def test_what_is_logged_is_asked_for_as_much_as_an_event(kind: EventType) -> None:
    with pytest.raises(ValidationError, match="is missing"):
        LoggedEvent.model_validate({**json.loads(TEXT), "event_type": kind.value})


def test_a_probe_allows_nothing_to_be_learned_from_it() -> None:
    assert (MADE.consent, MADE.consent_analytics) == (False, False)
    with pytest.raises(ValidationError):
        Probe.model_validate({**MADE.model_dump(), "consent": True})


@pytest.mark.parametrize(
    ("contract", "fields"),
    [
        (Event, {"event_id": str(UUID(int=1)), "event_type": "page_view", "occurred_at": NOW, "received_at": NOW}),
        (LoggedEvent, {"event_id": str(UUID(int=1)), "event_type": "page_view", "occurred_at": NOW, "received_at": NOW}),
        (SubmittedEvent, {"event_id": UUID(int=1), "event_type": EventType.PAGE_VIEW, "occurred_at": NOW}),
        (Instance, {}),
    ],
)
def test_no_event_and_no_request_can_name_the_row_of_probes(contract: type[BaseModel], fields: dict[str, Any]) -> None:
    contract.model_validate({**fields, "session_id": ONLINE_ID[:-1]})
    with pytest.raises(ValidationError, match="at most 128 characters"):
        contract.model_validate({**fields, "session_id": ONLINE_ID})


def test_no_id_is_kept_as_the_row_of_probes() -> None:
    assert len(PersonIds(bytes(32)).kept("x" * 128)) < len(ONLINE_ID)
