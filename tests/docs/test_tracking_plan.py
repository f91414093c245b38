"""The tracking plan names every event that a shop sends, and what it shows is taken."""

import json
import re
from datetime import UTC, datetime
from uuid import UUID

import pytest

from endcap.catalogue.changes.judging import AcceptedChange, judged_change
from endcap.contracts.event_type import TYPE_RULES, EventType
from endcap.contracts.submitted_event import SubmittedEvent
from tests.docs.page import ROOT

PLAN = (ROOT / "docs" / "tracking-plan.md").read_text(encoding="utf-8")
EVENTS = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
ROWS = [line for line in PLAN.split("\n## What to send", 1)[1].split("\n## ", 1)[0].splitlines() if line.startswith("| ")]


@pytest.mark.parametrize("kind", sorted(set(EventType) - {EventType.IMPRESSION, EventType.CUSTOM}))
def test_every_event_of_a_shop_has_its_place_with_the_fields_that_it_needs(kind: EventType) -> None:
    (row,) = [row for row in ROWS if f"`{kind}`" in row]
    assert [name for name in (*TYPE_RULES[kind].needs, *TYPE_RULES[kind].asks) if f"`{name}`" not in row] == []


@pytest.mark.parametrize("page", [PLAN, EVENTS], ids=["tracking-plan", "events"])
def test_the_events_that_a_command_sends_fit_the_contract(page: str) -> None:
    (body,) = re.findall(r"--json '([^']*)' http\S*/v1/events", page)
    document = json.loads(body)
    for event in document if isinstance(document, list) else [document]:
        SubmittedEvent.model_validate_json(json.dumps(event))


def test_the_items_that_a_command_sends_are_taken() -> None:
    (body,) = re.findall(r"--json '([^']*)' http\S*/v1/items", EVENTS)
    now = datetime(2026, 11, 27, tzinfo=UTC)
    verdicts = [judged_change(json.dumps(item), UUID(int=1), now) for item in json.loads(body)]
    assert [verdict.is_whole for verdict in verdicts if isinstance(verdict, AcceptedChange)] == [False, True]
