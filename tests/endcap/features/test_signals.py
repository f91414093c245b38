"""Features of views, carts, searches and ratings, and of nothing that happens at t or later."""

from datetime import timedelta

import ibis
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.features.columns import ITEM_SIGNALS, NEVER_DAYS, PAIR_SIGNALS, USER_SIGNALS
from endcap.features.computing import build_feature_tables
from endcap.features.snapshots import FeatureOptions
from endcap.features.user_item_signals import cart_and_view_events, user_item_signals
from tests.properties import examples

OPTIONS = FeatureOptions(test_weeks=1, ranking_windows=1, low_rating=2.0)
END = "2025-03-10T00:00:00"
PAST, LATE = 10, 20
"""As of this second, and until this one."""


@pytest.fixture(scope="module")
def tables(shop, tmp_path_factory):
    """u1 buys and looks around, u2 and u7 only look, u3 only buys; u7 says so by logging in alone."""
    end = shop.moment(END)

    def event(user_id, kind, item_id, days_ago, **given):
        return shop.purchase(
            user_id, item_id, end - timedelta(days=days_ago), **({"event_type": kind, "quantity": None, "unit_price": None} | given)
        )

    events = [
        shop.purchase("u1", "i1", end - timedelta(days=60)),
        shop.purchase("u3", "i1", end - timedelta(days=59)),
        event("u1", "product_view", "i2", 5),
        event("u1", "product_view", "i2", 4),
        event("u1", "add_to_cart", "i2", 4),
        event("u1", "product_view", "i3", 20),
        event("u1", "add_to_cart", "i3", 19),
        shop.purchase("u1", "i3", end - timedelta(days=18)),
        event("u1", "search", None, 3, query="bread"),
        event("u1", "rating", "i1", 2, rating=1.0),
        event("u2", "product_view", "i2", 6),
        event("u2", "add_to_cart", "i4", 6),
        event("u2", "remove_from_cart", "i4", 5),
        event("u2", "add_to_cart", "i5", 40),
        event("u2", "rating", "i5", 39, rating=1.0),
        event("u2", "rating", "i5", 38, rating=5.0),
        event(None, "product_view", "i2", 1),
        event("u9", "product_view", "i2", 1, consent=False),
        event("u3", "page_view", None, 1 / 86_400),
        event(None, "rating", "i4", 4, session_id="visit", rating=5.0),
        event("u7", "identity", None, 3, session_id="visit"),
        event(None, "rating", "i5", 2, session_id="visit", rating=5.0),
    ]
    dataset = shop.write_shop(tmp_path_factory.mktemp("signals") / "data", events, [shop.item(f"i{number}") for number in range(1, 6)])
    build_feature_tables(dataset, dataset.parent / "features", OPTIONS)

    def at_end(name):
        frame = pl.read_parquet(dataset.parent / "features" / f"{name}.parquet")
        return {row[next(iter(row))]: row for row in frame.filter(pl.col("event_timestamp") == end).iter_rows(named=True)}

    return {name: at_end(name) for name in ("user_features", "item_features", "user_item_features")}


@pytest.mark.parametrize(
    ("user_id", "expected"),
    [
        ("u1", [2, 3, 2, 1, 4, 4, 0.5]),
        ("u2", [1, 1, 1, 0, 6, 6, 0]),
        ("u3", [0, 0, 0, 0, NEVER_DAYS, NEVER_DAYS, 0]),
    ],
)
def test_what_a_user_did_beside_buying(tables, user_id, expected):
    assert [tables["user_features"][user_id][name] for name in USER_SIGNALS] == pytest.approx(expected)


def test_somebody_who_never_bought_has_a_row_and_somebody_without_consent_none(tables):
    row = tables["user_features"]["u2"]
    assert row["baskets_28d"] == 0
    assert row["days_since_last_purchase"] == NEVER_DAYS
    assert set(tables["user_features"]) == {"u1", "u2", "u3", "u7"}


def test_how_an_item_is_looked_at_and_carted(tables):
    of_item = {name: tables["item_features"]["i2"][name] for name in ITEM_SIGNALS}
    assert [of_item[name] for name in ("views_7d", "views_28d", "carts_28d")] == [4, 4, 1]
    assert of_item["category_view_to_cart_28d"] == pytest.approx(3 / 5)
    assert of_item["view_to_cart_28d"] == pytest.approx((1 + 10 * 3 / 5) / (4 + 10))
    assert of_item["category_cart_to_purchase_28d"] == pytest.approx(1 / 3)
    assert of_item["cart_to_purchase_28d"] == pytest.approx((0 + 10 / 3) / (1 + 10))


def test_the_cart_is_what_was_put_into_it_and_neither_bought_nor_taken_out(tables):
    carts = {}
    for user_id, row in tables["user_item_features"].items():
        carts[user_id] = [item for item, at in zip(row["signal_item_ids"], row["signal_in_cart_at"], strict=True) if at]
    assert carts == {"u1": ["i2"], "u2": ["i5"], "u3": [], "u7": []}


def test_the_last_rating_counts(tables):
    low = {}
    for user_id, row in tables["user_item_features"].items():
        low[user_id] = [item for item, rated in zip(row["signal_item_ids"], row["signal_rated_low"], strict=True) if rated]
    assert low == {"u1": ["i1"], "u2": [], "u3": [], "u7": []}


def test_a_dataset_of_purchases_alone_has_zeros_and_empty_lists(shop, tmp_path):
    events = [event for event in shop.random_events(seed=5, weeks=8, users=3) if event["event_type"] == "purchase"]
    dataset = shop.write_shop(tmp_path / "data", events, [shop.item(f"i{number}") for number in range(15)])
    build_feature_tables(dataset, tmp_path / "features", FeatureOptions(test_weeks=1, ranking_windows=1))
    users, items, pairs = (pl.read_parquet(tmp_path / "features" / f"{name}_features.parquet") for name in ("user", "item", "user_item"))
    assert users.select(USER_SIGNALS).sum().sum_horizontal().item() == 0
    assert items.select(ITEM_SIGNALS).sum().sum_horizontal().item() == 0
    assert pairs.select(pl.col(PAIR_SIGNALS).list.len().sum()).sum_horizontal().item() == 0


kinds = st.sampled_from(["add_to_cart", "remove_from_cart", "product_view", "purchase"])
made_events = st.lists(st.tuples(st.sampled_from(["u1", "u2"]), st.sampled_from(["i1", "i2"]), kinds, st.integers(1, LATE)), max_size=12)


def cart_as_of(events, t):
    """By user what is in the cart as of t, with the second it was put there, as the expressions have it."""
    schema = {"user_id": "string", "item_id": "string", "rating": "float64", "kind": "string", "at": "int64"}
    rows = [{"user_id": user, "item_id": item, "rating": None, "kind": kind, "at": at} for user, item, kind, at in events]
    told = ibis.memtable(pl.DataFrame([row for row in rows if row["kind"] != "purchase"], schema=pl_schema(schema)))
    lines = ibis.memtable(pl.DataFrame([row for row in rows if row["kind"] == "purchase"], schema=pl_schema(schema)))
    snapshots = ibis.memtable(pl.DataFrame({"t": [t]}))
    found = user_item_signals(cart_and_view_events(told, lines), snapshots, None).to_pyarrow().to_pylist()
    pairs = [(row["user_id"], *pair) for row in found for pair in zip(row["signal_item_ids"], row["signal_in_cart_at"], strict=True)]
    return {(user, item): at for user, item, at in pairs if at}


def pl_schema(schema):
    return {name: {"string": pl.String, "float64": pl.Float64, "int64": pl.Int64}[kind] for name, kind in schema.items()}


def test_what_a_visit_did_after_log_in_is_the_persons(tables):
    assert tables["user_item_features"]["u7"]["signal_item_ids"] == ["i5"]
    assert tables["user_features"]["u7"]["history_item_ids"] == ["i5"]


@examples(10)
@given(made_events, made_events)
def test_carted_and_not_bought_by_t_whatever_comes_later(events, other_future):
    past = [event for event in events if event[3] < PAST]
    expected = {}
    for user, item, kind, at in sorted(past, key=lambda event: (event[3], event[2] != "add_to_cart")):
        if kind == "add_to_cart":
            expected[user, item] = at
        elif kind != "product_view":
            expected.pop((user, item), None)
    later = [(user, item, kind, at + PAST) for user, item, kind, at in other_future]
    assert cart_as_of(events, PAST) == cart_as_of(past + later, PAST) == expected
