"""Every family of features against values computed by hand, on one small shop."""

import math
from datetime import timedelta

import polars as pl
import pytest

from endcap.features.computing import build_feature_tables
from endcap.features.snapshots import FeatureOptions

END = "2025-05-05T00:00:01"
"""Ann's and Bob's last purchases are at 2025-05-05T00:00:00, a Monday; the data's end is a second later."""


@pytest.fixture(scope="module")
def tables(shop, tmp_path_factory):
    at = shop.moment
    friday_evening = at("2025-01-03T19:00:00")
    events = [
        # Ann: three baskets, the first outside of the last 90 days.
        shop.purchase("ann", "apple", friday_evening, unit_price=2.0, session_id="a1"),
        shop.purchase("ann", "bread", friday_evening, unit_price=4.0, session_id="a1"),
        # Saturday morning, discounted apples and pears that are promoted in shop s1.
        shop.purchase("ann", "apple", at("2025-04-19T08:00:00"), unit_price=1.0, unit_discount=1.0, quantity=2.0, session_id="a2"),
        shop.purchase("ann", "pear", at("2025-04-19T08:00:00"), unit_price=3.0, session_id="a2"),
        # Monday at the very snapshot: belongs to the next one.
        shop.purchase("ann", "apple", at("2025-05-05T00:00:00"), unit_price=2.0, session_id="a3"),
        shop.purchase("ann", "lamp", at("2025-05-04T12:00:00"), event_type="product_view", quantity=None, unit_price=None, currency=None),
        # Bob bought once, long ago, and once at the end.
        shop.purchase("bob", "bread", at("2025-01-10T12:00:00"), unit_price=4.0, session_id="b1"),
        shop.purchase("bob", "bread", at("2025-05-05T00:00:00"), unit_price=5.0, session_id="b2"),
        # Without a name, and without consent.
        shop.purchase(None, "apple", at("2025-05-01T12:00:00"), unit_price=2.0, session_id="x1"),
        shop.purchase("cat", "apple", at("2025-05-01T12:00:00"), unit_price=2.0, consent=False),
    ]
    items = [
        shop.item("apple", category_path=["Food", "Fruit"], brand="Acme"),
        shop.item("pear", category_path=["Food", "Fruit"], brand="Best"),
        shop.item("bread", category_path=["Food", "Bread"]),
        shop.item("lamp", category_path=["Home"], price=30.0, created_at=at("2025-04-05T00:00:01")),
    ]
    users = [shop.user("ann", age_band="25-34", region="north")]
    week = {"starts_at": at("2025-04-14T05:00:00"), "ends_at": at("2025-04-21T05:00:00")}
    last_week = {"starts_at": at("2025-05-05T05:00:00"), "ends_at": at("2025-05-12T05:00:00")}
    promotions = [
        {"item_id": "pear", "store_id": "s1", "display": "front", "mailer": None, **week},
        {"item_id": "apple", "store_id": "s2", "display": "front", "mailer": None, **week},
        {"item_id": "apple", "store_id": "s1", "display": "front", "mailer": "page 1", **last_week},
        {"item_id": "bread", "store_id": "s2", "display": "", "mailer": "page 2", **last_week},
        {"item_id": "pear", "store_id": None, "display": None, "mailer": "page 3", **last_week},
    ]
    folder = tmp_path_factory.mktemp("shop")
    dataset = shop.write_shop(folder / "data", events, items, users, promotions)
    build_feature_tables(dataset, folder / "features", FeatureOptions(test_weeks=2, ranking_windows=1))
    return {
        name: pl.read_parquet(folder / "features" / f"{name}.parquet") for name in ("user_features", "user_item_features", "item_features")
    }


def row_at(tables, table, shop, when, **key):
    ((name, value),) = key.items()
    rows = tables[table].filter((pl.col(name) == value) & (pl.col("event_timestamp") == shop.moment(when)))
    assert rows.height == 1, f"{table} has {rows.height} rows for {value} at {when}"
    return rows.row(0, named=True)


def test_user_numbers_before_the_last_purchase(tables, shop):
    row = row_at(tables, "user_features", shop, "2025-05-05T00:00:00", user_id="ann")
    since_last = (shop.moment("2025-05-05T00:00:00") - shop.moment("2025-04-19T08:00:00")) / timedelta(days=1)
    tenure = (shop.moment("2025-05-05T00:00:00") - shop.moment("2025-01-03T19:00:00")) / timedelta(days=1)
    expected = {
        "days_since_last_purchase": since_last,
        "tenure_days": tenure,
        "baskets_7d": 0,
        "baskets_28d": 1,
        "baskets_90d": 1,
        "items_28d": 2,
        "distinct_items_90d": 2,
        "spend_28d": 5.0,
        "spend_90d": 5.0,
        "basket_spend_mean_90d": 5.0,
        "basket_size_mean_90d": 2.0,
        "repeat_share_90d": 0.5,
        "discount_share_90d": 0.5,
        "promoted_share_90d": 0.5,
        "weekend_share": 0.5,
        "morning_share": 0.5,
        "evening_share": 0.5,
    }
    assert {name: row[name] for name in expected} == pytest.approx(expected)


def test_price_level_compares_with_the_category_so_far(tables, shop):
    row = row_at(tables, "user_features", shop, "2025-05-05T00:00:00", user_id="ann")
    fruit_mean = (2.0 + 1.0 + 3.0) / 3
    assert row["price_level"] == pytest.approx((1.0 + 1.0 + 1.0 / fruit_mean + 3.0 / fruit_mean) / 4)


def test_windows_without_purchases_have_neutral_values(tables, shop):
    row = row_at(tables, "user_features", shop, "2025-05-05T00:00:00", user_id="bob")
    names = ("baskets_90d", "spend_90d", "basket_spend_mean_90d", "basket_size_mean_90d", "repeat_share_90d", "discount_share_90d")
    assert [row[name] for name in names] == [0.0] * len(names)


def test_attributes_are_empty_text_when_unknown(tables, shop):
    assert row_at(tables, "user_features", shop, END, user_id="ann")["age_band"] == "25-34"
    assert row_at(tables, "user_features", shop, END, user_id="ann")["income_band"] == ""
    assert row_at(tables, "user_features", shop, END, user_id="bob")["age_band"] == ""


def test_purchases_without_consent_or_user_make_no_user(tables):
    assert set(tables["user_features"]["user_id"]) == {"ann", "bob"}


def test_history_has_each_item_once_newest_last_with_views(tables, shop):
    row = row_at(tables, "user_features", shop, END, user_id="ann")
    times = ["2025-01-03T19:00:00", "2025-04-19T08:00:00", "2025-05-04T12:00:00", "2025-05-05T00:00:00"]
    assert row["history_item_ids"] == ["bread", "pear", "lamp", "apple"]
    assert row["history_occurred_at"] == [int(shop.moment(time).timestamp()) for time in times]
    assert row["history_signals"] == [1, 1, 3, 1]


def test_history_before_the_snapshot_knows_nothing_of_it(tables, shop):
    row = row_at(tables, "user_features", shop, "2025-05-05T00:00:00", user_id="ann")
    assert row["history_item_ids"] == ["bread", "apple", "pear", "lamp"]


def test_affinity_shares_decay_with_age(tables, shop):
    row = row_at(tables, "user_features", shop, "2025-05-05T00:00:00", user_id="ann")

    def weight(time):
        return math.exp(-((shop.moment("2025-05-05T00:00:00") - shop.moment(time)) / timedelta(days=1)) / 60)

    old, new = weight("2025-01-03T19:00:00"), weight("2025-04-19T08:00:00")
    total = 2 * old + 2 * new
    assert row["category_ids"] == ["Food > Fruit", "Food > Bread"]
    assert row["category_shares"] == pytest.approx([(old + 2 * new) / total, old / total])
    assert row["brand_ids"] == ["Acme", "Best"]
    assert row["brand_shares"] == pytest.approx([(old + new) / total, new / total])


def test_pairs_count_baskets_gaps_and_decay(tables, shop):
    row = row_at(tables, "user_item_features", shop, END, user_id="ann")
    assert row["pair_item_ids"] == ["apple", "pear", "bread"]
    ages = [
        (shop.moment(END) - shop.moment(time)) / timedelta(days=1)
        for time in ("2025-01-03T19:00:00", "2025-04-19T08:00:00", "2025-05-05T00:00:00")
    ]
    assert row["pair_times_bought"] == [3.0, 1.0, 1.0]
    assert row["pair_baskets_28d"] == [2.0, 1.0, 0.0]
    assert row["pair_baskets_90d"] == [2.0, 1.0, 0.0]
    assert row["pair_last_bought_at"][0] == int(shop.moment("2025-05-05T00:00:00").timestamp())
    assert row["pair_gap_mean_days"] == pytest.approx([(ages[0] - ages[2]) / 2, 0.0, 0.0])
    assert row["pair_decayed_20d"][0] == pytest.approx(sum(math.exp(-age / 20) for age in ages), rel=1e-6)
    assert row["pair_decayed_60d"][0] == pytest.approx(sum(math.exp(-age / 60) for age in ages), rel=1e-6)


def test_item_popularity_counts_anonymous_purchases_but_no_anonymous_buyers(tables, shop):
    row = row_at(tables, "item_features", shop, END, item_id="apple")
    expected = {
        "purchases_7d": 2,
        "purchases_28d": 3,
        "purchases_90d": 3,
        "buyers_28d": 1,
        "buyers_90d": 1,
        "new_buyers_7d": 0,
        "new_buyers_28d": 0,
        "share_of_category_28d": 3 / 4,
        "repeat_rate_90d": 1.0,
        "trend": math.log(3 / (3 / 4 + 1)),
        "discount_share_28d": 1 / 3,
        "discount_depth_28d": 2.0 / (4.0 + 2.0 + 2.0),
    }
    assert {name: row[name] for name in expected} == pytest.approx(expected)


def test_a_new_buyer_is_one_who_never_bought_the_item_before(tables, shop):
    row = row_at(tables, "item_features", shop, END, item_id="pear")
    assert (row["new_buyers_28d"], row["share_of_category_28d"]) == (1, 1 / 4)


def test_item_price_is_the_last_shelf_price_paid(tables, shop):
    early = row_at(tables, "item_features", shop, "2025-05-05T00:00:00", item_id="bread")
    late = row_at(tables, "item_features", shop, END, item_id="bread")
    assert (early["price"], late["price"]) == (4.0, 5.0)
    apple, pear = (row_at(tables, "item_features", shop, END, item_id=name) for name in ("apple", "pear"))
    assert (apple["price_to_category"], pear["price_to_category"]) == pytest.approx((2.0 / 2.5, 3.0 / 2.5))


def test_item_never_sold_appears_once_it_is_viewed_and_has_the_catalogues_price_at_the_end_only(tables, shop):
    rows = tables["item_features"].filter(pl.col("item_id") == "lamp").sort("event_timestamp")
    assert rows["event_timestamp"].to_list() == [shop.moment("2025-05-05T00:00:00"), shop.moment(END)]
    assert rows["price"][0] == 0
    row = rows.row(1, named=True)
    assert (row["price"], row["price_to_category"], row["purchases_90d"], row["trend"]) == (30.0, 1.0, 0.0, 0.0)
    assert row["item_age_days"] == pytest.approx(30.0)


def test_promotion_shares_are_of_the_shops_in_the_weeks_promotions(tables, shop):
    apple, bread, pear = (row_at(tables, "item_features", shop, "2025-05-05T00:00:00", item_id=name) for name in ("apple", "bread", "pear"))
    assert (apple["display_share"], apple["mailer_share"]) == (0.5, 0.5)
    assert (bread["display_share"], bread["mailer_share"]) == (0.0, 0.5)
    assert (pear["display_share"], pear["mailer_share"]) == (0.0, 1.0)
    before = row_at(tables, "item_features", shop, "2025-04-14T00:00:00", item_id="apple")
    assert before["display_share"] == 0.5


def test_purchases_without_a_price_count_and_say_nothing_of_prices(shop, tmp_path):
    end = shop.moment("2025-05-05T00:00:00")

    def bought(days, item_id, price):
        at = end - timedelta(days=days)
        return shop.purchase("ann", item_id, at, unit_price=price, unit_discount=0.5, currency=price and "USD")

    events = [bought(40, "apple", 2.0), bought(9, "apple", None), bought(8, "pear", 4.0), bought(0, "pear", None)]
    items = [shop.item("apple", category_path=["Food", "Fruit"]), shop.item("pear", category_path=["Food", "Fruit"])]
    dataset = shop.write_shop(tmp_path / "data", events, items)
    build_feature_tables(dataset, tmp_path / "features", FeatureOptions(test_weeks=2, ranking_windows=1))
    users, found = (pl.read_parquet(tmp_path / "features" / f"{name}_features.parquet") for name in ("user", "item"))
    ann = users.filter(pl.col("event_timestamp") == users["event_timestamp"].max()).to_dicts()[0]
    assert (ann["baskets_90d"], ann["spend_90d"], ann["basket_spend_mean_90d"]) == (4, 6.0, 1.5)
    assert ann["price_level"] == pytest.approx((1 + 1 + 4 / 3 + 1) / 4)
    assert ann["discount_share_90d"] == 0.5
    last = found.filter(pl.col("event_timestamp") == found["event_timestamp"].max()).sort("item_id").to_dicts()
    assert [row["price"] for row in last] == [2.5, 4.5]
    assert [row["purchases_28d"] for row in last] == [1, 2]


def test_a_shop_that_knows_no_customers_has_features_of_items(shop, tmp_path):
    events = [
        shop.purchase(None, "apple", shop.moment("2025-01-06T10:00:00") + timedelta(days=day), session_id=f"s{day}") for day in range(60)
    ]
    dataset = shop.write_shop(tmp_path / "data", events, [shop.item("apple")])
    summary = build_feature_tables(dataset, tmp_path / "features", FeatureOptions(test_weeks=2, ranking_windows=1))
    assert (summary.rows["user_features"], summary.rows["user_item_features"]) == (0, 0)
    last = pl.read_parquet(tmp_path / "features" / "item_features.parquet").sort("event_timestamp").to_dicts()[-1]
    assert (last["purchases_28d"], last["buyers_28d"]) == (28, 0)
