from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from endcap.engine.exploration.counting import EvidenceRule, count_evidence, evidence_of_outcomes
from endcap.engine.exploration.evidence import EVIDENCE_SCHEMA
from endcap.events.log.reader import event_schema
from endcap.events.outcomes.examination import Examination
from endcap.events.outcomes.whole_log import journal_of_log
from endcap.events.outcomes.windows import Windows
from tests.endcap.events.outcomes.made_events import END, logs
from tests.properties import examples

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def event(kind: str, item_id: str | None = "A", request_id: str | None = "r1", minutes_ago: float = 10, **given: Any) -> dict[str, Any]:
    moment = NOW - timedelta(minutes=minutes_ago)
    row = dict.fromkeys(event_schema().names()) | {
        "event_id": str(uuid4()),
        "event_type": kind,
        "schema_version": 1,
        "occurred_at": moment,
        "received_at": moment,
        "session_id": "s",
        "item_id": item_id,
        "request_id": request_id,
        "position": 1 if kind == "impression" else None,
        "consent": True,
    }
    return row | given


def counted(
    *events: dict[str, Any], half_life_days: float = 1e9, power: float = 0.5, window: timedelta = timedelta(minutes=30)
) -> dict[str, tuple[float, float]]:
    frame = count_evidence(pl.DataFrame(list(events), schema=event_schema()), NOW, EvidenceRule(half_life_days, Examination(power), window))
    assert frame.schema == EVIDENCE_SCHEMA
    return {row["item_id"]: (round(row["impressions"], 6), round(row["clicks"], 6)) for row in frame.to_dicts()}


@pytest.mark.parametrize("kind", ["product_view", "add_to_cart", "purchase"])
def test_what_follows_an_impression_is_a_click_on_it(kind: str) -> None:
    assert counted(event("impression"), event(kind, minutes_ago=5)) == {"A": (1, 1)}


def test_an_impression_is_clicked_once_however_much_follows() -> None:
    followed = [event(kind, minutes_ago=5) for kind in ("product_view", "product_view", "add_to_cart", "purchase")]
    assert counted(event("impression"), *followed) == {"A": (1, 1)}


@pytest.mark.parametrize(
    "other",
    [
        event("product_view", request_id="r2", minutes_ago=5),
        event("product_view", item_id="B", minutes_ago=5),
        event("product_view", request_id=None, minutes_ago=5),
        event("product_view", minutes_ago=15),
        event("product_view", minutes_ago=-5),
        event("product_view", minutes_ago=5, consent=False),
        event("remove_from_cart", minutes_ago=5),
    ],
    ids=["another request", "another item", "no request", "before", "after as_of", "no consent", "no click"],
)
def test_what_does_not_follow_from_the_impression_is_no_click(other: dict[str, Any]) -> None:
    assert counted(event("impression"), other) == {"A": (1, 0)}


def test_what_follows_after_the_window_is_no_click() -> None:
    assert counted(event("impression", minutes_ago=40), event("click", minutes_ago=10)) == {"A": (1, 1)}
    assert counted(event("impression", minutes_ago=40), event("click", minutes_ago=9)) == {"A": (1, 0)}


def test_an_impression_sent_twice_counts_once() -> None:
    again = event("impression")
    assert counted(again, again, {**again, "event_id": str(uuid4())}, event("impression", request_id="r2")) == {"A": (2, 0)}


def test_impressions_without_a_request_or_consent_do_not_count() -> None:
    assert counted(event("impression", request_id=None), event("impression", consent=False)) == {}


def test_a_half_life_halves_the_impression_and_its_click() -> None:
    old = 3 * 24 * 60
    assert counted(event("impression", minutes_ago=old), event("product_view", minutes_ago=old - 1), half_life_days=3) == {"A": (0.5, 0.5)}


def test_an_impression_far_down_counts_as_often_as_it_was_looked_at() -> None:
    assert counted(event("impression", position=16), event("product_view", minutes_ago=1)) == {"A": (0.25, 1)}
    assert counted(event("impression", position=16), power=0) == {"A": (1, 0)}
    assert counted(event("impression", position=None)) == {"A": (1, 0)}


@given(st.lists(st.tuples(st.sampled_from("AB"), st.sampled_from(["r1", "r2", "r3"]), st.booleans(), st.floats(0, 9999)), max_size=20))
def test_counts_equal_a_count_one_by_one(shown: list[tuple[str, str, bool, float]]) -> None:
    events = [event("impression", item, request, minutes) for item, request, _, minutes in shown]
    events += [event("product_view", item, request, minutes / 2) for item, request, clicked, minutes in shown if clicked]
    expected: dict[str, list[float]] = {}
    for item, request in sorted({(item, request) for item, request, _, _ in shown}):
        first = max(minutes for other, its, _, minutes in shown if (other, its) == (item, request))
        weight = 0.5 ** (round(first * 60_000) / 86_400_000 / 2)
        totals = expected.setdefault(item, [0.0, 0.0])
        totals[0] += weight
        totals[1] += weight * any(clicked for other, its, clicked, _ in shown if (other, its) == (item, request))
    result = counted(*events, half_life_days=2, window=timedelta(days=10))
    assert {item: pytest.approx(tuple(totals), abs=1e-4) for item, totals in expected.items()} == result


@examples(15)
@given(logs())
def test_what_the_stream_joined_is_counted_as_the_events_are(rows: list[dict[str, Any]]) -> None:
    journal = journal_of_log(pl.DataFrame(rows, schema=event_schema()), Windows(), END)
    streamed = evidence_of_outcomes(journal.places, journal.touches, END, EvidenceRule(7))
    assert_frame_equal(streamed, count_evidence(pl.DataFrame(rows, schema=event_schema()), END, EvidenceRule(7)))


def test_no_events_are_no_evidence() -> None:
    assert counted() == {}
