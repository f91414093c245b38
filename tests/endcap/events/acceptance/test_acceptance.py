import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.contracts.dead_letter import DeadLetterKind
from endcap.contracts.event import Event
from endcap.contracts.event_type import ABOUT_CONSENT, EventType
from endcap.contracts.submitted_event import SubmittedEvent
from endcap.core.settings import ConsentSettings
from endcap.events.acceptance.acceptance import Acceptance, Accepted, Refused, Sender, content_of, known_field
from endcap.events.acceptance.custom_types import CustomTypes, load_custom_types
from endcap.events.acceptance.scopes import TYPES_OF_SCOPE, Scope
from endcap.events.examples import EXAMPLES
from endcap.events.log.reader import read_events
from tests.endcap.events.sent_events import CUSTOM_TYPES, sent
from tests.properties import examples

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
FRESH = "fresh-session"
YES, NO = ConsentSettings(personalisation=True, analytics=True), ConsentSettings(personalisation=False, analytics=False)
SENDERS = {scope: Sender(f"key-{scope}", scope, TYPES_OF_SCOPE[scope]) for scope in Scope}
SCOPE_OF = {kind: Scope.TRANSFORMER if kind is EventType.IMPRESSION else Scope.SERVER for kind in EventType}


@pytest.fixture(scope="module")
def types(tmp_path_factory: pytest.TempPathFactory) -> CustomTypes:
    file = tmp_path_factory.mktemp("types") / "types.yaml"
    file.write_text(CUSTOM_TYPES)
    return load_custom_types(file)


def judged(
    event: dict[str, Any], scope: Scope = Scope.SERVER, consent: ConsentSettings = YES, types: CustomTypes | None = None
) -> Accepted | Refused:
    return Acceptance(consent, types or CustomTypes(), lambda: FRESH).judge(json.dumps(event), SENDERS[scope], NOW)


def stored(verdict: Accepted | Refused) -> Event:
    assert isinstance(verdict, Accepted), verdict
    return Event.model_validate_json(verdict.line)


def refused(verdict: Accepted | Refused) -> Refused:
    assert isinstance(verdict, Refused), verdict
    return verdict


@pytest.mark.parametrize("kind", EventType)
def test_every_types_example_is_stored_as_it_was_sent(kind: EventType, types: CustomTypes) -> None:
    event = stored(judged(sent(kind, NOW), SCOPE_OF[kind], types=types))
    assert (event.event_type, event.occurred_at, event.received_at) == (kind, NOW, NOW)
    for name, value in EXAMPLES[kind].items():
        kept = getattr(event, name)
        match name:
            case "properties":
                assert json.loads(kept) == value
            case "experiments":
                assert [arm.model_dump() for arm in kept] == value
            case "consent" | "consent_analytics" | "session_id" if kind is EventType.CONSENT_WITHDRAWN:
                assert kept in (False, FRESH)
            case _:
                assert kept == value


def test_lines_are_read_by_the_event_logs_reader(tmp_path: Path, types: CustomTypes) -> None:
    verdicts = [judged(sent(kind, NOW, sent_at=NOW.isoformat()), SCOPE_OF[kind], types=types) for kind in EventType]
    (tmp_path / "a.jsonl").write_text("".join(verdict.line for verdict in verdicts if isinstance(verdict, Accepted)))
    read = read_events(tmp_path).collect()
    assert read["event_type"].to_list() == [kind.value for kind in EventType]
    assert read["sent_at"].to_list() == [NOW] * len(read)
    click = read.row(by_predicate=pl.col("event_type") == "click", named=True)
    assert click["experiments"] == EXAMPLES[EventType.CLICK]["experiments"]


ODD = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=140) | st.lists(st.integers(), max_size=2)
FIELDS = sorted({*SubmittedEvent.model_fields, "received_at", "colour"})


@examples(300)
@given(
    st.sampled_from(EventType),
    st.dictionaries(st.sampled_from(FIELDS), ODD, max_size=3),
    st.sampled_from(Scope),
    st.sampled_from([YES, NO]),
)
def test_whatever_is_sent_a_stored_line_fits_the_contract(
    kind: EventType, changes: dict[str, Any], scope: Scope, consent: ConsentSettings
) -> None:
    verdict = judged({**sent(kind, NOW), **changes}, scope, consent)
    if isinstance(verdict, Accepted):
        event = stored(verdict)
        assert event.occurred_at <= NOW
        assert verdict.line.count("\n") == 1
        assert content_of(verdict.line.encode()) == (event.event_id, verdict.content.encode())
    else:
        assert verdict.reason


@pytest.mark.parametrize(
    ("changes", "kind", "field"),
    [
        ({"event_type": "buy"}, DeadLetterKind.SCHEMA_UNKNOWN, "event_type"),
        ({"schema_version": 2}, DeadLetterKind.SCHEMA_UNKNOWN, "schema_version"),
        ({"event_type": "custom", "custom_type": "nowhere", "item_id": None}, DeadLetterKind.SCHEMA_UNKNOWN, "custom_type"),
        ({"colour": "red"}, DeadLetterKind.FIELD_REFUSED, "colour"),
        ({"received_at": "2026-03-01T08:00:00Z"}, DeadLetterKind.FIELD_REFUSED, "received_at"),
        ({"item_id": None}, DeadLetterKind.FIELD_REFUSED, "item_id"),
        ({"experiments": [{"experiment": "a"}]}, DeadLetterKind.FIELD_REFUSED, "experiments.0.variant"),
        ({"occurred_at": "2026-03-01T08:00:00"}, DeadLetterKind.FIELD_REFUSED, "occurred_at"),
        ({"occurred_at": "2026-03-01T08:06:00Z"}, DeadLetterKind.FIELD_REFUSED, "occurred_at"),
        ({"occurred_at": "2026-02-28T07:00:00Z"}, DeadLetterKind.TOO_LATE, "occurred_at"),
    ],
)
def test_a_refusal_says_kind_and_field(changes: dict[str, Any], kind: DeadLetterKind, field: str) -> None:
    verdict = refused(judged({**sent(EventType.PRODUCT_VIEW, NOW), **changes}))
    assert (verdict.kind, verdict.field) == (kind, field)
    assert verdict.event_id == UUID(sent(EventType.PRODUCT_VIEW, NOW)["event_id"])


@pytest.mark.parametrize("text", ['{"event_id":1,"event_id":2}', "[]", "7", "{", '{"a":NaN}'])
def test_a_text_that_is_no_event_is_a_broken_payload(text: str) -> None:
    verdict = Acceptance(YES, CustomTypes(), lambda: FRESH).judge(text, SENDERS[Scope.SERVER], NOW)
    assert refused(verdict).kind is DeadLetterKind.PAYLOAD_BROKEN


@pytest.mark.parametrize("scope", Scope)
@pytest.mark.parametrize("kind", EventType)
def test_a_key_sends_what_its_scope_allows_and_nothing_else(scope: Scope, kind: EventType, types: CustomTypes) -> None:
    verdict = judged(sent(kind, NOW), scope, types=types)
    if kind in TYPES_OF_SCOPE[scope]:
        assert isinstance(verdict, Accepted)
    else:
        assert refused(verdict).is_forbidden


@pytest.mark.parametrize(
    "kind", ["purchase", "return", "cancellation", "consent_given", "consent_withdrawn", "rating", "identity", "impression"]
)
def test_browsers_send_nothing_that_only_a_shop_knows(kind: str) -> None:
    assert EventType(kind) not in TYPES_OF_SCOPE[Scope.BROWSER]


def test_browsers_send_only_those_custom_types_that_say_so(types: CustomTypes) -> None:
    event = {**sent(EventType.CUSTOM, NOW), "custom_type": "appointment"}
    assert refused(judged(event, Scope.BROWSER, types=types)).is_forbidden
    assert isinstance(judged(event, Scope.SERVER, types=types), Accepted)


def test_a_backfill_has_no_clock() -> None:
    event = stored(judged(sent(EventType.PURCHASE, datetime(2016, 1, 1, tzinfo=UTC)), Scope.BACKFILL))
    assert event.occurred_at == datetime(2016, 1, 1, tzinfo=UTC)


def test_a_senders_wrong_clock_is_set_right() -> None:
    ahead = NOW + timedelta(hours=5)
    event = stored(judged(sent(EventType.PAGE_VIEW, ahead - timedelta(minutes=2), sent_at=ahead.isoformat())))
    assert (event.occurred_at, event.sent_at) == (NOW - timedelta(minutes=2), ahead)


@pytest.mark.parametrize("consent", [YES, NO])
def test_consent_that_is_not_said_is_the_settings(consent: ConsentSettings) -> None:
    event = stored(judged(sent(EventType.PAGE_VIEW, NOW), consent=consent))
    assert (event.consent, event.consent_analytics) == (consent.personalisation, consent.analytics)


@pytest.mark.parametrize("kind", sorted(set(EventType) - ABOUT_CONSENT))
def test_without_analytics_neither_user_nor_visit_is_stored(kind: EventType, types: CustomTypes) -> None:
    verdict = judged(sent(kind, NOW, user_id="u-secret", session_id="s-secret", consent_analytics=False), SCOPE_OF[kind], types=types)
    assert (stored(verdict).user_id, stored(verdict).session_id) == (None, FRESH)
    assert isinstance(verdict, Accepted)
    assert "secret" not in verdict.line


@pytest.mark.parametrize("kind", sorted(ABOUT_CONSENT))
def test_a_decision_about_consent_keeps_whose_it_is(kind: EventType) -> None:
    event = stored(judged(sent(kind, NOW, user_id="u-1", session_id="s-secret", consent_analytics=False)))
    assert (event.user_id, event.session_id) == ("u-1", FRESH)


@pytest.mark.parametrize(("user_id", "is_one"), [("guest", True), ("u-1", False), (None, False)])
def test_ids_that_stand_for_none_are_counted(user_id: str | None, is_one: bool) -> None:
    verdict = judged(sent(EventType.PAGE_VIEW, NOW, user_id=user_id))
    assert isinstance(verdict, Accepted)
    assert verdict.has_placeholder is is_one
    assert stored(verdict).user_id == (None if is_one else user_id)


@given(st.text(min_size=1, max_size=30).filter(lambda text: text not in SubmittedEvent.model_fields))
def test_a_dead_letter_names_no_field_that_a_sender_made_up(name: str) -> None:
    assert known_field(name) in (None, name.partition(".")[0])
    assert known_field(f"{name}@example") is None
    assert known_field("experiments.0.variant") == "experiments"


def test_a_line_of_another_writer_has_no_content() -> None:
    assert content_of(b'{"event_id":"5d2c4b8e-6a0e-5d0c-9b53-0c6a7c1a2017","event_type":"impression"}\n') is None
    assert content_of(b"{}\n") is None
