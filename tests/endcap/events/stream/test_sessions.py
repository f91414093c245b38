import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.engine.retrieval.signal_state import NO_SIGNALS
from endcap.events.stream.function import Instant
from endcap.events.stream.sessions import EVENTS_KEPT, QUERIES_KEPT, Sessions
from endcap.events.stream.whole_log import run_to_end
from endcap.features.columns import HISTORY_LENGTH
from tests.endcap.events.stream.streamed_events import BEGIN, Bench, event, frame
from tests.properties import examples

HOUR = 3_600


def row_of(*events: dict[str, Any], session: str = "s") -> dict[str, Any]:
    rows = run_to_end([Sessions()], frame(events))["sessions"]
    return rows.row(by_predicate=pl.col("session_id") == session, named=True)


def test_a_visit_lists_items_with_what_happened_newest_last() -> None:
    row = row_of(
        event("2", 20, "add_to_cart", item_id="b"),
        event("1", 10, "click", item_id="a"),
        event("3", 30, "impression", item_id="x"),
        event("4", 40, "page_view"),
    )
    assert row["session_item_ids"] == ["a", "b"]
    assert row["session_event_types"] == ["click", "add_to_cart"]
    assert row["session_occurred_at"] == [int(BEGIN.timestamp()) + 10, int(BEGIN.timestamp()) + 20]
    assert row["last_at"] == BEGIN + timedelta(seconds=40)


def test_a_pause_longer_than_the_gap_begins_another_visit() -> None:
    before = [event("1", 0, "product_view", item_id="a"), event("2", 1_800, "product_view", item_id="b")]
    assert row_of(*before)["session_item_ids"] == ["a", "b"]
    assert row_of(*before, event("3", 1_800 + 1_801, "product_view", item_id="c"))["session_item_ids"] == ["c"]
    assert row_of(*before, event("3", 1_800 + 1_801, "page_view"))["session_item_ids"] == []


def test_an_event_that_comes_late_joins_two_visits() -> None:
    bench = Bench(Sessions())
    bench.take(event("1", 0, "product_view", item_id="a"))
    bench.take(event("3", 3_000, "product_view", item_id="c"))
    assert bench.delivered()["s",]["session_item_ids"] == ["c"]
    bench.take(event("2", 1_500, "product_view", item_id="b", arrives=3_100))
    assert bench.delivered()["s",]["session_item_ids"] == ["a", "b", "c"]


def test_the_cart_is_what_was_put_in_and_not_taken_out_or_bought_since() -> None:
    row = row_of(
        *(event(f"in {item}", place, "add_to_cart", item_id=item) for place, item in enumerate("abc")),
        event("out", 10, "remove_from_cart", item_id="a"),
        event("bought", 11, "purchase", item_id="b", quantity=1.0),
    )
    assert row["session_cart_item_ids"] == ["c"]


def test_dwell_and_queries_are_of_the_visit() -> None:
    searches = [event(f"q{place}", 10 + place, "search", query=f"tea {place}") for place in range(QUERIES_KEPT + 2)]
    row = row_of(event("d1", 0, "dwell", dwell_ms=1_000), event("d2", 5, "dwell", dwell_ms=500), *searches)
    assert row["session_dwell_ms"] == 1_500
    assert row["session_queries"] == [f"tea {place}" for place in range(2, QUERIES_KEPT + 2)]


def test_a_visit_without_end_is_known_by_its_newest_events() -> None:
    events = [event(str(place), place, "product_view", item_id=str(place)) for place in range(EVENTS_KEPT + 5)]
    end = BEGIN + timedelta(seconds=EVENTS_KEPT + 5)
    function = Sessions()
    step = function.step(function.state_schema.to_frame(), function.keyed(frame(events)), Instant(end, end - timedelta(hours=2)))
    assert len(step.state) == EVENTS_KEPT
    assert step.rows["session_item_ids"][0].to_list() == [str(EVENTS_KEPT + 5 - place) for place in range(HISTORY_LENGTH, 0, -1)]


def test_a_visit_is_forgotten_when_nothing_can_reach_it_any_more() -> None:
    bench = Bench(Sessions())
    bench.take(event("1", 0, "product_view", item_id="a"))
    bench.now = BEGIN + timedelta(hours=2.5)
    assert not bench.driver.is_due()
    bench.now += timedelta(microseconds=1)
    assert bench.driver.is_due()
    bench.driver.step()
    assert bench.driver.keys("sessions") == bench.driver.keys("bots") == 0
    assert not bench.driver.is_due()
    assert bench.delivered()["s",]["session_item_ids"] == ["a"]


KINDS = ["product_view", "click", "add_to_cart", "remove_from_cart", "search", "dwell", "page_view", "impression"]


def made(name: int, seconds: int, kind: str, session: str, item: str) -> dict[str, Any]:
    needs = {"search": {"query": f"q{name}"}, "dwell": {"dwell_ms": name + 1, "item_id": item}}
    return event(str(name), seconds, kind, session, **needs.get(kind, {"item_id": item}))


visits = st.lists(st.tuples(st.integers(0, 5 * HOUR), st.sampled_from(KINDS), st.sampled_from("st"), st.sampled_from("abc")), max_size=25)


@examples(12)
@given(visits, st.randoms(use_true_random=False))
def test_shuffled_doubled_and_late_events_with_restarts_between_give_the_rows_of_one_step(
    drawn: list[tuple[int, str, str, str]], random: Any
) -> None:
    events = [made(name, *each) for name, each in enumerate(drawn)]
    for each in events:
        each["received_at"] = each["occurred_at"] + timedelta(seconds=random.randrange(2 * HOUR))
    sent = sorted([*events, *random.sample(events, len(events) // 3)], key=lambda each: each["received_at"])
    late = [event(f"late {place}", -3 * HOUR - place, "product_view", "s", item_id="late", arrives=6 * HOUR) for place in range(3)]
    if events:
        sent += late
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Sessions(), Path(folder))
        taken = 0
        while taken < len(sent):
            part = sent[taken : taken + random.randint(1, 6)]
            bench.take(*part, is_behind=random.random() < 0.5)
            taken += len(part)
            if random.random() < 0.3:
                bench.restart()
            if random.random() < 0.3:
                bench.delivery.settle(30)
        streamed = bench.delivered()
        bench.close()
    whole = run_to_end([Sessions()], frame(sorted(events, key=lambda each: each["occurred_at"])))["sessions"]
    expected = {(row["session_id"],): row for row in whole.iter_rows(named=True)}
    assert streamed == expected


@pytest.mark.parametrize(("then", "left"), [([], True), (["remove_from_cart"], False), (["remove_from_cart", "add_to_cart"], True)])
def test_what_was_left_in_the_cart_follows_what_was_taken_out(then: list[str], left: bool) -> None:
    row = row_of(*(event(f"{place}", place, kind, item_id="a") for place, kind in enumerate(["add_to_cart", *then])))
    index, ages = np.ones(1 + len(then), dtype=np.int32), np.zeros(1 + len(then), dtype=np.float32)
    assert NO_SIGNALS.with_visit(index, row["session_event_types"], ages).in_cart.tolist() == [left]
