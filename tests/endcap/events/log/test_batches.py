from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.contracts.event import Event, EventType
from endcap.events.log.batches import REQUEST_SESSION, Impressions

NOW = datetime(2026, 3, 1, 8, 0, 0, 123456, tzinfo=UTC)
TEXT = st.text(min_size=1, max_size=200)


def shown(count: int = 3, **changes: object) -> Impressions:
    batch = Impressions(
        request_id="r1",
        user_id="u1",
        session_id="s1",
        surface="home",
        device="mobile",
        item_ids=[f"i{number}" for number in range(count)],
        positions=range(1, count + 1),
        propensities=np.linspace(1, 0.05, count, dtype=np.float32),
        sources=["popular"] * count,
        bundle="20261127",
        variant="default",
        now=NOW,
        consent=True,
        consent_analytics=True,
        served_by="shop-endcap",
    )
    return replace(batch, **changes)  # type: ignore[arg-type]


def events(batch: Impressions) -> list[Event]:
    return [Event.model_validate_json(line) for line in batch.json_lines().splitlines()]


def test_every_line_is_an_impression_of_the_contract() -> None:
    first, _, last = events(shown())
    assert first.event_type is EventType.IMPRESSION
    assert (first.request_id, first.user_id, first.session_id, first.surface, first.device) == ("r1", "u1", "s1", "home", "mobile")
    assert (first.item_id, first.position, first.propensity, first.source) == ("i0", 1, 1.0, "popular")
    assert (first.bundle, first.variant, first.occurred_at, first.received_at) == ("20261127", "default", NOW, NOW)
    assert (last.position, last.propensity, last.served_by) == (3, 0.05, "shop-endcap")


def test_a_request_without_a_session_is_its_own_session() -> None:
    assert {event.session_id for event in events(shown(session_id=None))} == {f"{REQUEST_SESSION}r1"}
    assert {event.user_id for event in events(shown(user_id=None))} == {None}


@pytest.mark.parametrize(
    ("user_id", "session_id", "person"),
    [("u1", "s1", "u1"), (None, "s1", "s1"), (None, None, f"{REQUEST_SESSION}r1"), ("\ud800" + "x" * 200, None, "\ufffd" + "x" * 127)],
)
def test_an_event_is_its_users_else_its_sessions_as_the_line_names_them(user_id: str | None, session_id: str | None, person: str) -> None:
    batch = shown(user_id=user_id, session_id=session_id)
    assert list(batch.persons()) == [person] * 3 == [event.user_id or event.session_id for event in events(batch)]


def test_event_ids_are_random_uuids_that_never_repeat() -> None:
    ids = [event.event_id for event in events(shown(5_000, positions=[1] * 5_000)) + events(shown())]
    assert len(set(ids)) == 5_003
    assert {UUID(str(one)).version for one in ids} == {4}


@given(TEXT, TEXT, st.none() | st.text(max_size=200), st.none() | TEXT, TEXT)
def test_whatever_a_caller_sends_the_lines_fit_the_contract(
    request_id: str, item: str, user: str | None, device: str | None, surface: str
) -> None:
    batch = shown(1, request_id=request_id, item_ids=[item + "\ud800"], user_id=user, device=device, session_id=user, surface=surface)
    (event,) = events(batch)
    assert event.request_id == request_id[:128]
    assert event.item_id is not None
    assert event.item_id.startswith(item[:100])


@given(st.floats(1e-30, 1, exclude_min=True))
def test_no_propensity_is_rounded_out_of_its_range(propensity: float) -> None:
    (event,) = events(shown(1, propensities=[propensity]))
    assert event.propensity is not None
    assert abs(event.propensity - propensity) <= 1e-6 * propensity


@pytest.mark.parametrize("consent", [True, False])
@pytest.mark.parametrize("analytics", [True, False])
def test_an_impression_carries_both_consents(consent: bool, analytics: bool) -> None:
    written = events(shown(consent=consent, consent_analytics=analytics))
    assert {(event.consent, event.consent_analytics) for event in written} == {(consent, analytics)}
