"""Features at t do not change when the future does: whatever happens at or after t is altered, added to or deleted."""

import random
from datetime import timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from endcap.features.columns import ITEM_SIGNALS, PAIR_SIGNALS, USER_SIGNALS
from endcap.features.computing import build_feature_tables
from endcap.features.names import FEATURE_TABLES
from endcap.features.snapshots import FeatureOptions

OPTIONS = FeatureOptions(test_weeks=3, ranking_windows=3, low_rating=2.0)
SIGNALS = ("product_view", "add_to_cart", "remove_from_cart", "search", "rating")
KEYS = {"user_features": "user_id", "user_item_features": "user_id", "item_features": "item_id"}


def build(dataset):
    features = dataset.parent / f"{dataset.name}-features"
    build_feature_tables(dataset, features, OPTIONS)
    return {name: pl.read_parquet(features / f"{name}.parquet") for name in FEATURE_TABLES}


def with_signals(events, seed):
    """Beside each event one that is no purchase, a moment or a day before or after it."""
    rng = random.Random(seed)
    beside = []
    for number, event in enumerate(events):
        kind = rng.choice(SIGNALS)
        beside.append(
            event
            | {
                "event_id": f"beside {number}",
                "event_type": kind,
                "occurred_at": event["occurred_at"] + timedelta(seconds=rng.choice([-86_400, -60, 0, 86_400])),
                "item_id": None if kind == "search" else event["item_id"],
                "rating": float(rng.randrange(1, 6)) if kind == "rating" else None,
                "quantity": None,
                "unit_price": None,
            }
        )
    return [*events, *beside]


def altered_future(events, present, change, seed):
    """The same past; of what happens at `present` or later, none, something else, or more."""
    rng = random.Random(seed)
    past = [event for event in events if event["occurred_at"] < present]
    future = [event for event in events if event["occurred_at"] >= present]
    if change == "deleted":
        return past
    if change == "added":
        copies = [event | {"event_id": f"copy {number}", "session_id": f"copy {number}"} for number, event in enumerate(future)]
        at_once = [event | {"event_id": f"now {number}", "occurred_at": present} for number, event in enumerate(future[:5])]
        return events + copies + at_once
    shuffled_users = rng.sample([event["user_id"] for event in future], len(future))
    return past + [
        event
        | {
            "user_id": user_id,
            "item_id": f"i{rng.randrange(17)}",
            "unit_price": rng.randrange(1, 400) / 4,
            "unit_discount": rng.choice([0.0, 3.0]),
            "quantity": float(rng.randrange(1, 9)),
            "event_type": rng.choice(["purchase", "return", *SIGNALS]),
            "rating": float(rng.randrange(1, 6)),
            "occurred_at": present + timedelta(seconds=rng.randrange(21 * 86_400)),
        }
        for event, user_id in zip(future, shuffled_users, strict=True)
    ]


def last_page_view(shop):
    """Keeps the data's end, and with it the snapshots, where they are."""
    return shop.purchase("u0", None, shop.moment("2025-04-28T00:00:00"), event_type="page_view", quantity=None, unit_price=None)


@pytest.fixture(scope="module")
def original(shop, tmp_path_factory):
    events = with_signals(shop.random_events(seed=7), seed=7)
    folder = tmp_path_factory.mktemp("leak")
    return folder, events, build(shop.random_shop(folder / "original", 7, [*events, last_page_view(shop)]))


@pytest.mark.parametrize("change", ["deleted", "added", "altered"])
def test_rows_up_to_the_present_are_the_same_whatever_the_future(original, shop, change):
    folder, events, before = original
    now = shop.moment("2025-03-17T00:00:00")
    other = [*altered_future(events, now, change, seed=change), last_page_view(shop)]
    after = build(shop.random_shop(folder / change, 7, other))
    for table, key in KEYS.items():
        known = pl.col("event_timestamp") <= now
        expected, found = (tables[table].filter(known) for tables in (before, after))
        assert expected.height >= 6
        assert_frame_equal(expected.sort("event_timestamp", key), found.sort("event_timestamp", key), abs_tol=1e-6)


def test_every_signal_is_in_the_rows_that_are_compared(original):
    """Guards the test above: views, carts, what was left in them, searches, ratings and conversions are all there before the present."""
    _, _, before = original
    for table, columns in (("user_features", USER_SIGNALS), ("item_features", ITEM_SIGNALS)):
        assert before[table].select(pl.col(columns).max() > 0).row(0) == (True,) * len(columns)
    lists = before["user_item_features"].select(pl.col(PAIR_SIGNALS[1:]).list.sum().sum() > 0).row(0)
    assert lists == (True,) * len(lists)
    assert set(before["user_features"]["history_signals"].explode().drop_nulls()) == {1, 2, 3, 4}


def test_a_changed_past_does_change_them(original, shop):
    """Guards the test above: the comparison would notice."""
    folder, events, before = original
    now = shop.moment("2025-03-10T00:00:00")
    other = [*altered_future(events, now - timedelta(days=3), "altered", seed=1), last_page_view(shop)]
    after = build(shop.random_shop(folder / "past", 7, other))
    rows = [tables["user_features"].filter(pl.col("event_timestamp") == now).sort("user_id") for tables in (before, after)]
    assert not rows[0].equals(rows[1])
