"""Somebody with ten thousand events has features like everybody: bounded lists of what they did last."""

from datetime import timedelta

import polars as pl

from endcap.features.columns import HISTORY_LENGTH, PAIR_SIGNALS, PAIRS_MAX, USER_HISTORY
from endcap.features.computing import build_feature_tables
from endcap.features.snapshots import FeatureOptions

EVENTS = 10_000
ITEMS = 700


def test_lists_of_ten_thousand_events_are_bounded_and_the_newest(shop, tmp_path):
    end = shop.moment("2025-03-10T00:00:00")

    def event(number):
        kind = ("product_view", "product_view", "add_to_cart", "rating")[number % 4]
        given = {"event_type": kind, "quantity": None, "unit_price": None, "rating": 5.0 if kind == "rating" else None}
        return shop.purchase("u1", f"i{number % ITEMS}", end - timedelta(minutes=5 * (EVENTS - number)), event_id=f"{number:032x}", **given)

    events = [shop.purchase("u1", "i0", end - timedelta(days=60)), *map(event, range(EVENTS))]
    dataset = shop.write_shop(tmp_path / "data", events, [shop.item(f"i{number}") for number in range(ITEMS)])
    build_feature_tables(dataset, tmp_path / "features", FeatureOptions(test_weeks=1, ranking_windows=1))
    users, pairs = (pl.read_parquet(tmp_path / "features" / f"{name}_features.parquet") for name in ("user", "user_item"))
    (user,), (pair,) = (frame.filter(event_timestamp=frame["event_timestamp"].max()).to_dicts() for frame in (users, pairs))
    assert {len(user[name]) for name in USER_HISTORY} == {HISTORY_LENGTH}
    assert user["history_item_ids"] == [f"i{number % ITEMS}" for number in range(EVENTS - HISTORY_LENGTH, EVENTS)]
    assert {len(pair[name]) for name in PAIR_SIGNALS} == {PAIRS_MAX}
