"""Recent items do not hang on how events come, and belong to a person from the moment on at which the person identifies."""

import random
from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.contracts.recent_kind import RecentKind
from endcap.contracts.signals import Signal, Signals
from endcap.events.stream.function import Instant
from endcap.events.stream.recent_events import LIFE, STATE
from endcap.events.stream.recent_items import RecentItems
from endcap.features.columns import RECENT_EVENTS
from tests.endcap.events.stream.person_events import MADE, START, Row, SteppedByBatches, acts_of, event, frame
from tests.properties import examples

SIGNALS = Signals(low_rating=2.0)
DAY = 86_400


def at(seconds: float) -> Instant:
    moment = START + timedelta(seconds=seconds)
    return Instant(present=moment, watermark=moment - timedelta(hours=2))


def rows_of(events: list[Row], seconds: float = DAY, signals: Signals = SIGNALS) -> dict[Any, Row]:
    """What a step over everything says, by user."""
    stepped = SteppedByBatches(RecentItems(signals))
    stepped.take(frame(events), at(seconds))
    return {user: row for (user,), row in stepped.rows.items()}


def touched(row: Row) -> list[tuple[str, int]]:
    return list(zip(row["recent_item_ids"], row["recent_kinds"], strict=True))


IDENTITIES = st.lists(
    st.tuples(
        st.sampled_from(["v1", "v2", "v3"]), st.sampled_from(["u1", "u2"]), st.integers(0, 9_000), st.sampled_from([True, True, False])
    ),
    max_size=4,
)
ENDS = st.lists(st.tuples(st.sampled_from(["u1", "u2"]), st.integers(0, 9_000)), max_size=1)


@examples(40)
@given(made=st.lists(MADE, max_size=16), identities=IDENTITIES, ends=ENDS, seed=st.integers(0, 999))
def test_order_batches_doubles_and_restarts_change_nothing(
    made: list[Row], identities: list[tuple[str, str, int, bool]], ends: list[tuple[str, int]], seed: int
) -> None:
    rng = random.Random(seed)
    events = acts_of(made)
    events += [
        event(100 + number, "identity", when, session_id=visit, user_id=user, item_id=None, quantity=None, consent=consent)
        for number, (visit, user, when, consent) in enumerate(identities)
    ]
    events += [
        event(200 + number, "consent_withdrawn", when, user_id=user, item_id=None, quantity=None, consent=False)
        for number, (user, when) in enumerate(ends)
    ]
    whole = SteppedByBatches(RecentItems(SIGNALS))
    whole.take(frame(events), at(DAY))
    shuffled = rng.sample(events, len(events)) + rng.sample(events, len(events) // 3)
    stepped = SteppedByBatches(RecentItems(SIGNALS))
    while shuffled:
        size = rng.randrange(1, 5)
        batch, shuffled = shuffled[:size], shuffled[size:]
        stepped.take(frame(batch), at(9_000 + rng.randrange(7_200)))
        stepped.state = pl.DataFrame(stepped.state.rows(), schema=STATE, orient="row")
    assert stepped.rows == whole.rows
    assert stepped.state.sort(pl.all()).equals(whole.state.sort(pl.all()))


@examples(10)
@given(made=st.lists(MADE, min_size=1, max_size=10), days=st.lists(st.integers(0, 70), min_size=1, max_size=10))
def test_what_is_too_old_goes_whether_anything_comes_or_not(made: list[Row], days: list[int]) -> None:
    events = acts_of(made)
    identity = event(100, "identity", 0, session_id="v1", user_id="u1", item_id=None, quantity=None)
    for row, day in zip(events, days, strict=False):
        row["occurred_at"] += timedelta(days=day)
    events.sort(key=lambda row: row["occurred_at"])
    stepped, end = SteppedByBatches(RecentItems(SIGNALS)), at(72 * DAY)
    for row in [identity, *events]:
        now = Instant(row["occurred_at"], row["occurred_at"])
        stepped.wait(now)
        stepped.take(frame([row]), now)
    stepped.wait(end)
    whole = SteppedByBatches(RecentItems(SIGNALS))
    whole.take(frame([identity, *events]), end)
    assert stepped.rows == whole.rows
    oldest = (end.present - LIFE - timedelta(hours=1)).timestamp()
    assert all(when >= oldest for row in whole.rows.values() for when in row["recent_occurred_at"])


def test_a_visit_is_the_persons_from_log_in_on_and_not_before() -> None:
    events = [
        event(1, "product_view", 10, user_id=None, item_id="before"),
        event(2, "identity", 20, item_id=None),
        event(3, "product_view", 30, user_id=None, item_id="after"),
        event(4, "product_view", 30, user_id=None, item_id="elsewhere", session_id="another"),
    ]
    assert rows_of(events)["u"]["recent_item_ids"] == ["after"]


def test_who_identifies_later_in_the_same_visit_has_what_follows() -> None:
    events = [
        event(1, "identity", 10, item_id=None, user_id="u1"),
        event(2, "product_view", 20, user_id=None, item_id="a"),
        event(3, "identity", 30, item_id=None, user_id="u2"),
        event(4, "product_view", 40, user_id=None, item_id="b"),
    ]
    rows = rows_of(events)
    assert {user: row["recent_item_ids"] for user, row in rows.items()} == {"u1": ["a"], "u2": ["b"]}


def test_a_return_takes_the_purchase_back_and_a_part_of_it_does_not() -> None:
    bought = event(1, "purchase", 10, quantity=2.0)
    part = event(2, "return", 20, quantity=1.0)
    row = rows_of([bought, part])["u"]
    assert (row["recent_signals"], row["recent_bought_until"]) == ([1], [0])
    rest = event(3, "return", 30, quantity=1.0)
    row = rows_of([bought, part, rest])["u"]
    assert (row["recent_signals"], row["recent_bought_until"]) == ([0], [int((START + timedelta(seconds=30)).timestamp())])


def test_a_look_shortly_after_a_cart_is_of_the_cart() -> None:
    events = [event(1, "add_to_cart", 0), event(2, "product_view", 1_800), event(3, "product_view", 1_801)]
    assert rows_of(events)["u"]["recent_signals"] == [2, 2, 3]


def test_low_ratings_end_what_was_before_unless_ratings_do_not_count() -> None:
    events = [event(1, "product_view", 10), event(2, "rating", 20, rating=1.0), event(3, "product_view", 30)]
    row = rows_of(events)["u"]
    assert row["recent_signals"] == [0, -1, 3]
    assert row["recent_kinds"][1] == RecentKind.RATED_LOW
    without = SIGNALS.model_copy(update={"rating": Signal(weight=0.0)})
    assert rows_of(events, signals=without)["u"]["recent_signals"] == [3, 0, 3]


def test_without_consent_nothing_is_kept_and_taking_it_back_empties_the_row() -> None:
    view, bought = event(1, "product_view", 10), event(2, "purchase", 10)
    assert rows_of([event(3, "product_view", 10, consent=False)]) == {}
    withdrawn = event(4, "consent_withdrawn", 20, item_id=None, quantity=None, consent=False)
    row = rows_of([view, bought, withdrawn])["u"]
    assert not any(row[name] for name in row if name != "user_id")
    again = event(5, "product_view", 30, item_id="b")
    assert touched(rows_of([view, bought, withdrawn, again])["u"]) == [("b", RecentKind.PRODUCT_VIEW)]


def test_consent_that_ends_for_analytics_alone_empties_nothing() -> None:
    ended = event(2, "consent_withdrawn", 20, item_id=None, quantity=None, consent=True, consent_analytics=False)
    assert rows_of([event(1, "product_view", 10), ended])["u"]["recent_item_ids"] == ["a"]


def test_looks_never_push_purchases_out() -> None:
    looks = [event(number, "product_view", 100 + number, item_id="b") for number in range(RECENT_EVENTS + 5)]
    row = rows_of([event(9_999, "purchase", 0), *looks])["u"]
    assert row["recent_bought_item_ids"] == ["a"]
    assert row["recent_item_ids"] == ["a", *["b"] * RECENT_EVENTS]


@pytest.mark.parametrize("of_two", [True, False])
def test_lines_of_one_basket_are_one_occasion(of_two: bool) -> None:
    lines = [event(1, "purchase", 10), event(2, "purchase", 20, session_id="w" if of_two else "v")]
    assert len(rows_of(lines)["u"]["recent_bought_at"]) == 1 + of_two
