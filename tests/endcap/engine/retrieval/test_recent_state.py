"""Batch features with what the stream saw since say what the batch features of tomorrow say."""

import random
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from endcap.catalogue.item_table import ItemTable
from endcap.catalogue.vocabulary import Vocabulary
from endcap.contracts.signals import Signals
from endcap.engine.retrieval.signal_state import SignalState
from endcap.engine.retrieval.user_state import UserState, user_state
from endcap.events.stream.function import Instant
from endcap.events.stream.recent_items import RecentItems
from endcap.events.stream.recent_rows import ROWS
from endcap.features.columns import USER_CATEGORICAL
from endcap.features.store.recent_items import moved_rows
from tests.endcap.engine.retrieval.batch_features import BLANK, batch_rows
from tests.endcap.events.stream.person_events import START, Row, SteppedByBatches, event, frame

LOW = 2.0
VOCABULARIES = {name: Vocabulary(("known",)) for name in USER_CATEGORICAL}
COUNTS = ("times_bought", "baskets_28d", "baskets_90d", "views", "carts", "rated_low")
"""Said exactly, as are items and types."""


def recent_of(events: list[Row], now: datetime, moved_s: int = 0) -> dict[str, Row]:
    """What the online store has of each person."""
    stepped = SteppedByBatches(RecentItems(Signals(low_rating=LOW)))
    stepped.take(frame(events), Instant(now, now))
    return {user: moved_rows(frame_of(row), moved_s).drop("user_id").to_dicts()[0] for (user,), row in stepped.rows.items()}


def frame_of(row: Row) -> pl.DataFrame:
    return pl.DataFrame([row], schema=ROWS)


def said_the_same(found: UserState, expected: UserState) -> None:
    parts: list[tuple[str, Any, Any]] = [(one.name, getattr(found, one.name), getattr(expected, one.name)) for one in fields(UserState)]
    signals = [(one.name, getattr(found.signals, one.name), getattr(expected.signals, one.name)) for one in fields(SignalState)]
    for name, mine, theirs in (*parts, *signals):
        if name in ("is_known", "signals", "leaf_share", "brand_share"):
            continue
        if name in COUNTS or mine.dtype == np.int32:
            np.testing.assert_array_equal(mine, theirs, err_msg=name)
        else:
            np.testing.assert_allclose(mine, theirs, rtol=1e-6, atol=2e-6, err_msg=name)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


KINDS = ("purchase", "purchase", "product_view", "product_view", "add_to_cart", "remove_from_cart", "rating", "return", "cancellation")


def people(seed: int, count: int) -> list[Row]:
    """Events of people who each do a few things with four items, within hours or over days; some of it in visits that do not say whose.

    What is taken back says whose it is: an order, or somebody.
    """
    rng, rows = random.Random(seed), []
    for person in range(count):
        stretch = rng.choice([1, 97])
        for _ in range(rng.randrange(1, 25)):
            kind, user = rng.choice(KINDS), f"u{person}"
            is_back = kind in ("return", "cancellation")
            given = {
                "session_id": f"v{rng.randrange(3)} {user}",
                "user_id": user if is_back or rng.random() < 0.7 else None,
                "item_id": rng.choice("abcd"),
                "quantity": rng.choice([1.0, 2.0, None if is_back else 3.0]),
                "order_id": rng.choice([None, None, f"o1 {user}", f"o2 {user}"]),
                "rating": rng.choice([1.0, 3.0, 5.0]) if kind == "rating" else None,
            }
            if given["user_id"] is None:
                given["order_id"] = None
            rows.append(event(len(rows), kind, rng.randrange(9_000) * stretch, **given))
    return rows


FEW = settings(
    max_examples=2,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
"""Each example has many people; a smaller seed is no simpler."""
END_S = 9_001 * 97
PEOPLE = 30


@settings(FEW)
@given(seed=st.integers(0, 9_999), snapshot=st.integers(1, 9_000))
def test_a_snapshot_with_what_came_since_is_the_snapshot_of_now(small_catalogue: ItemTable, seed: int, snapshot: int) -> None:
    events = people(seed, PEOPLE)
    now, then = at(END_S), at(snapshot)
    rows = batch_rows(frame(events), [then, now], LOW)
    recent, long_ago = recent_of(events, now), recent_of(events, now, round((now - then).total_seconds()))
    for user in sorted({user for user, _ in rows}):
        expected = user_state(rows.get((user, now)), small_catalogue, VOCABULARIES, now)
        said_the_same(user_state(rows.get((user, then)), small_catalogue, VOCABULARIES, now, recent=recent[user]), expected)
        # Nor does it count twice once the batch has moved on past it.
        said_the_same(user_state(rows.get((user, now)), small_catalogue, VOCABULARIES, now, recent=recent[user]), expected)
        # A bundle whose features end `then`, and that answers as of then, sees what came since as old as it is.
        found = user_state(rows.get((user, then)), small_catalogue, VOCABULARIES, then, recent=long_ago[user])
        assert found.history.tolist() == expected.history.tolist()
        assert found.times_bought.tolist() == expected.times_bought.tolist()
        came = expected.history_age_days <= (now - then).total_seconds() / 86_400
        np.testing.assert_allclose(found.history_age_days[came], expected.history_age_days[came], rtol=1e-6)


@settings(FEW)
@given(seed=st.integers(0, 9_999), log_in=st.integers(0, 9_000), snapshot=st.integers(1, 9_000))
def test_what_a_visit_did_after_log_in_counts_as_if_it_had_said_who(
    small_catalogue: ItemTable, seed: int, log_in: int, snapshot: int
) -> None:
    events = people(seed, PEOPLE)
    identities = [
        event(90_000 + person, "identity", log_in, session_id=f"v0 u{person}", user_id=f"u{person}", item_id=None, quantity=None)
        for person in range(PEOPLE)
    ]

    def named(row: Row) -> Row:
        is_theirs = row["session_id"].startswith("v0") and row["occurred_at"] >= at(log_in)
        return row | {"user_id": row["session_id"].removeprefix("v0 ")} if row["user_id"] is None and is_theirs else row

    now, then = at(END_S), at(snapshot)
    rows = batch_rows(frame([named(row) for row in events]), [then, now], LOW)
    recent = recent_of([*events, *identities], now)
    assert {user for user, _ in rows} <= set(recent)
    for user in sorted({user for user, _ in rows}):
        expected = user_state(rows.get((user, now)), small_catalogue, VOCABULARIES, now)
        said_the_same(user_state(rows.get((user, then)), small_catalogue, VOCABULARIES, now, recent=recent[user]), expected)


def views_of(state: UserState, index: int) -> float:
    place, found = state.signals.places(np.array([index], dtype=np.int32))
    return float(state.signals.views[place[0]]) if found[0] else 0.0


def test_what_the_visit_was_read_with_counts_once_and_what_is_older_in_it_still_counts(small_catalogue: ItemTable) -> None:
    events = [
        event(1, "product_view", 0, item_id="a"),
        event(2, "product_view", 10, item_id="b"),
        event(3, "product_view", 5_000, item_id="a"),
        event(4, "add_to_cart", 5_010, item_id="a"),
        event(5, "product_view", 5_020, item_id="a", session_id="another"),
    ]
    now = at(6_000)
    recent = recent_of(events, now)["u"]
    # The visit begins anew after a long pause: it has the view before log-in, and the two events after it.
    visit = (["c", "a", "a"], ["product_view", "product_view", "add_to_cart"])
    times = [int(at(seconds).timestamp()) for seconds in (4_990, 5_000, 5_010)]

    def state(session_id: str) -> UserState:
        return user_state(None, small_catalogue, VOCABULARIES, now, *visit, session_occurred_at=times, recent=recent, session_id=session_id)

    same, other = state("v"), state("quite another")
    assert [views_of(same, index) for index in (1, 2, 3)] == [3, 1, 1]
    assert [views_of(other, index) for index in (1, 2, 3)] == [4, 1, 1]
    assert same.history.tolist() == [2, 1, 3, 1, 1]
    assert same.signals.in_cart.tolist() == [True, False, False]


def test_a_purchase_of_this_visit_is_bought_before_and_out_of_the_cart_at_once(small_catalogue: ItemTable) -> None:
    now = at(100)
    recent = recent_of([event(1, "add_to_cart", 0), event(2, "purchase", 60)], now)["u"]
    visit = (["a", "a"], ["add_to_cart", "purchase"])
    times = [int(at(seconds).timestamp()) for seconds in (0, 60)]
    state = user_state(None, small_catalogue, VOCABULARIES, now, *visit, session_occurred_at=times, recent=recent, session_id="v")
    assert state.bought_before(np.array([1, 2], dtype=np.int32)).tolist() == [True, False]
    assert state.times_bought.tolist() == [1]
    assert not state.signals.in_cart.any()


def test_an_emptied_row_leaves_what_the_batch_says(small_catalogue: ItemTable) -> None:
    ended = event(2, "consent_withdrawn", 50, item_id=None, quantity=None, consent=False)
    recent = recent_of([event(1, "purchase", 10), ended], at(100))["u"]
    state = user_state(None, small_catalogue, VOCABULARIES, at(100), recent=recent, session_id="v")
    assert not len(state.history)
    assert not len(state.pair_index)


def test_what_was_bought_before_the_stream_began_loses_its_newest_purchase(small_catalogue: ItemTable) -> None:
    """The batch knows of three weekly purchases, the stream of the last of them, which is taken back."""
    week = 7 * 86_400
    last = int(at(2 * week).timestamp())
    row: Row = {"event_timestamp": at(2 * week + 100), "history_item_ids": ["a"], "history_occurred_at": [last], "history_signals": [1]}
    row |= {"pair_item_ids": ["a"], "pair_times_bought": [3.0], "pair_baskets_28d": [3.0], "pair_baskets_90d": [3.0]}
    row |= {"pair_last_bought_at": [last], "pair_gap_mean_days": [7.0], "pair_decayed_20d": [2.2], "pair_decayed_60d": [2.6]}
    events = [event(1, "purchase", 2 * week), event(2, "return", 2 * week + 200, quantity=None)]
    now = at(2 * week + 300)
    state = user_state(BLANK | row, small_catalogue, VOCABULARIES, now, recent=recent_of(events, now)["u"])
    assert state.times_bought.tolist() == [2]
    assert state.days_since_bought == pytest.approx([7 + 300 / 86_400], abs=1e-5)
    assert state.gap_mean_days == pytest.approx([7.0])
    assert not len(state.history)


def test_what_only_a_newer_version_knows_is_left_out_or_was_a_look(small_catalogue: ItemTable) -> None:
    recent = recent_of([event(1, "product_view", 0), event(2, "product_view", 1, item_id="b")], at(100))["u"]
    newer = recent | {"recent_kinds": [99, 3], "recent_signals": [3, 99]}
    state = user_state(None, small_catalogue, VOCABULARIES, at(100), recent=newer)
    assert (state.history.tolist(), state.history_signal.tolist()) == ([2], [3])
