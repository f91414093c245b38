"""Features of a shop with returns are, at every snapshot, those of a shop in which what was returned by then was never bought."""

import random
from datetime import timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from endcap.features.columns import PAIR_SIGNALS
from endcap.features.computing import build_feature_tables
from endcap.features.names import FEATURE_TABLES
from endcap.features.snapshots import FeatureOptions

OPTIONS = FeatureOptions(test_weeks=3, ranking_windows=3)
KEYS = {"user_features": "user_id", "user_item_features": "user_id", "item_features": "item_id"}


def build(folder):
    build_feature_tables(folder, folder / "features", OPTIONS)
    return {name: pl.read_parquet(folder / "features" / f"{name}.parquet") for name in FEATURE_TABLES}


def bought_and_returned(shop, seed):
    """Events at one price, so that prices say nothing of what was returned; half of the purchases come back whole, a few in part."""
    rng = random.Random(seed)
    events = [event | {"unit_price": 2.0, "unit_discount": 0.0} for event in shop.random_events(seed)]
    returns = []
    for number, event in enumerate(events):
        if event["event_type"] == "purchase" and rng.random() < 0.5:
            event["order_id"] = f"line {number}"
            quantity = event["quantity"] if rng.random() < 0.8 else event["quantity"] / 2
            at = event["occurred_at"] + timedelta(seconds=rng.randrange(40 * 86_400))
            back = {"event_type": "return", "quantity": quantity, "order_id": event["order_id"]}
            returns.append((event, shop.purchase(event["user_id"], event["item_id"], at, **back)))
    return events, returns


def without_returned(events, returns, moment):
    """What was bought and kept as of a moment, with what follows left as it is."""
    left = {event["event_id"]: event["quantity"] for event in events}
    for event, back in returns:
        if back["occurred_at"] < moment:
            left[event["event_id"]] -= back["quantity"]
    return [event | {"quantity": left[event["event_id"]]} for event in events if left[event["event_id"]] > 0]


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("day", ["2025-02-17T00:00:00", "2025-03-17T00:00:00"])
def test_features_are_those_of_what_was_kept(shop, tmp_path, seed, day):
    moment = shop.moment(day)
    # So that the moment is the cut, where all tables have rows.
    last = moment + timedelta(days=22)
    events, returns = bought_and_returned(shop, seed)
    events = [event for event in events if event["occurred_at"] < last]
    returns = [(event, back) for event, back in returns if back["occurred_at"] < last]
    end = shop.purchase("u0", None, last, event_type="page_view", quantity=None, unit_price=None)
    assert sum(back["occurred_at"] < moment for _, back in returns) > 10
    found = build(shop.random_shop(tmp_path / "returned", seed, [*events, *(back for _, back in returns), end]))
    expected = build(shop.random_shop(tmp_path / "kept", seed, [*without_returned(events, returns, moment), end]))
    for table, key in KEYS.items():
        one, other = (tables[table].filter(pl.col("event_timestamp") == moment).sort(key) for tables in (expected, found))
        if table == "item_features":
            # What was sold and returned is an item with a price and an age all the same.
            other = other.join(one, on=key, how="semi", maintain_order="left").drop("item_age_days", "price_to_category")
            one = one.drop("item_age_days", "price_to_category")
        if table == "user_item_features":
            # What was bought out of the cart and returned is not in the cart again.
            one, other = one.drop(PAIR_SIGNALS), other.drop(PAIR_SIGNALS)
        assert one.height > 5
        assert_frame_equal(one, other, abs_tol=1e-6)


def test_what_comes_back_after_a_snapshot_changes_nothing_of_it(shop, tmp_path):
    moment = shop.moment("2025-03-17T00:00:00")
    events, returns = bought_and_returned(shop, 3)
    end = shop.purchase("u0", None, shop.moment("2025-06-01T00:00:00"), event_type="page_view", quantity=None, unit_price=None)
    early = [back for _, back in returns if back["occurred_at"] < moment]
    found = build(shop.random_shop(tmp_path / "all", 3, [*events, *(back for _, back in returns), end]))
    expected = build(shop.random_shop(tmp_path / "early", 3, [*events, *early, end]))
    for table, key in KEYS.items():
        past = [tables[table].filter(pl.col("event_timestamp") <= moment).sort("event_timestamp", key) for tables in (expected, found)]
        assert_frame_equal(*past, abs_tol=1e-6)
