import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.contracts.dead_letter import DeadLetterKind
from endcap.contracts.event import Event
from endcap.contracts.event_type import EventType
from endcap.events.examples import EXAMPLES
from endcap.events.stream.lines import LINE, read_lines
from tests.endcap.events.sent_events import sent
from tests.properties import examples

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)


def line(kind: EventType = EventType.CLICK, name: str = "", **changes: Any) -> bytes:
    stored = {"received_at": "2026-03-01T08:00:00.250000Z", "consent": True, "consent_analytics": True}
    fields = sent(kind, NOW, name) | stored | changes
    if isinstance(fields.get("properties"), dict):
        fields["properties"] = json.dumps(fields["properties"])
    return json.dumps({key: value for key, value in fields.items() if value is not None}).encode()


def test_every_type_is_read_as_the_contract_reads_it() -> None:
    lines = [line(kind) for kind in EXAMPLES]
    read = read_lines(lines, NOW)
    assert not read.broken
    expected = [Event.model_validate_json(each).model_dump(mode="json") for each in lines]
    for row, model in zip(read.events.drop(LINE).iter_rows(named=True), expected, strict=True):
        moments = {name: value.isoformat().replace("+00:00", "Z") for name, value in row.items() if isinstance(value, datetime)}
        assert {**row, **moments} == model


GOOD = line(name="good")
BROKEN = [
    (b"garbage", DeadLetterKind.PAYLOAD_BROKEN, None),
    (b"[1]", DeadLetterKind.PAYLOAD_BROKEN, None),
    (b"null", DeadLetterKind.PAYLOAD_BROKEN, None),
    (b'{"event_id": "\xff"}', DeadLetterKind.PAYLOAD_BROKEN, None),
    (GOOD[:-1], DeadLetterKind.PAYLOAD_BROKEN, None),
    (b"{}", DeadLetterKind.FIELD_REFUSED, "event_id"),
    (line(event_id="5"), DeadLetterKind.FIELD_REFUSED, "event_id"),
    (line(event_type="dance"), DeadLetterKind.SCHEMA_UNKNOWN, "event_type"),
    (line(schema_version=2), DeadLetterKind.SCHEMA_UNKNOWN, "schema_version"),
    (line(occurred_at="yesterday"), DeadLetterKind.FIELD_REFUSED, "occurred_at"),
    (line(received_at=None), DeadLetterKind.FIELD_REFUSED, "received_at"),
    (line(session_id=None), DeadLetterKind.FIELD_REFUSED, "session_id"),
    (line(item_id=None), DeadLetterKind.FIELD_REFUSED, "item_id"),
    (line(position="third"), DeadLetterKind.FIELD_REFUSED, None),
    (line(received_at="2099-01-01T00:00:00Z"), DeadLetterKind.FIELD_REFUSED, "received_at"),
    (line(occurred_at="2099-01-01T00:00:00Z"), DeadLetterKind.FIELD_REFUSED, "occurred_at"),
]


@pytest.mark.parametrize(("content", "kind", "field"), BROKEN, ids=[str(place) for place in range(len(BROKEN))])
def test_a_broken_line_is_told_apart_and_the_others_are_read(content: bytes, kind: DeadLetterKind, field: str | None) -> None:
    read = read_lines([GOOD, content, line(name="other")], NOW + timedelta(seconds=1))
    assert read.events[LINE].to_list() == [0, 2]
    assert [(each.line, each.content, each.kind, each.field) for each in read.broken] == [(1, content, kind, field)]


def test_a_line_without_consent_has_none() -> None:
    without = json.dumps({name: value for name, value in json.loads(GOOD).items() if not name.startswith("consent")}).encode()
    assert read_lines([without], NOW).events.select("consent", "consent_analytics").row(0) == (False, True)


@examples(25)
@given(st.lists(st.sampled_from([GOOD, *(content for content, _, _ in BROKEN), b"", b"  "]), max_size=12))
def test_each_line_is_an_event_a_broken_one_or_empty(lines: list[bytes]) -> None:
    read = read_lines(lines, NOW + timedelta(seconds=1))
    places = read.events[LINE].to_list() + [each.line for each in read.broken]
    assert sorted(places) == [place for place, each in enumerate(lines) if each.strip()]
    assert [lines[place] for place in read.events[LINE]] == [GOOD] * lines.count(GOOD)
