from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from endcap.catalogue.item_table import ItemTable
from endcap.engine.ranking.pair_features import pair_features
from endcap.engine.retrieval.candidates import Candidates, CandidateSet, union
from endcap.engine.retrieval.item_to_item import ItemToItem, Neighbours
from endcap.engine.retrieval.user_state import UserState, user_state
from endcap.features.columns import ITEM_NUMERIC, NEVER_DAYS, PAIR_NUMERIC, USER_NUMERIC


@pytest.fixture
def items() -> ItemTable:
    rows = pl.DataFrame(
        {
            "item_id": list("abc"),
            "title": list("abc"),
            "category_path": [["Food"], ["Food"], ["Toys"]],
            "brand": ["Own", "Other", "Other"],
            "price": [1.0, 2.0, 3.0],
            "availability": ["in_stock"] * 3,
            "created_at": [datetime(2026, 1, 1, tzinfo=UTC)] * 3,
        }
    )
    features = {"item_id": list("abc"), **{name: [0.0] * 3 for name in ITEM_NUMERIC}, "price_to_category": [0.5, 1.0, 2.0]}
    return ItemTable.from_items(rows).with_features(pl.DataFrame(features))


@pytest.fixture
def state(items: ItemTable) -> UserState:
    """Bought b ten days ago and weekly before, in 4 of 8 baskets; spends on Food only."""
    numeric = np.zeros(len(USER_NUMERIC), np.float32)
    numeric[USER_NUMERIC.index("baskets_90d")] = 8
    numeric[USER_NUMERIC.index("price_level")] = 2
    shares = np.zeros(len(items.categories), np.float32)
    shares[items.categories.code("Food")] = 1
    one = {name: np.array([value], np.float32) for name, value in (("times_bought", 5), ("baskets_28d", 2), ("baskets_90d", 4))}
    return replace(
        user_state(None, items, {}, datetime(2026, 11, 27, tzinfo=UTC)),
        numeric=numeric,
        pair_index=np.array([2], np.int32),
        days_since_bought=np.array([10], np.float32),
        gap_mean_days=np.array([7], np.float32),
        decayed_20d=np.array([1.5], np.float32),
        decayed_60d=np.array([2.5], np.float32),
        leaf_share=shares,
        session=np.array([3], np.int32),
        **one,
    )


@pytest.fixture
def candidates() -> CandidateSet:
    tower = Candidates(np.array([1, 2], np.int32), np.array([0.9, 0.3], np.float32))
    popular = Candidates(np.array([3], np.int32), np.array([0.7], np.float32))
    ease = Candidates(np.array([3], np.int32), np.array([0.4], np.float32))
    return union({"two_tower": tower, "popular": popular, "ease": ease}, 10)


@pytest.fixture
def neighbours() -> Neighbours:
    """b goes with a, nothing with c; for EASE b speaks for a and c, and c for a."""
    item_to_item = ItemToItem(np.array([[0], [2], [1], [0]], np.int32), np.array([[0], [0.25], [0.5], [0]], np.float16))
    index, weight = [[0, 0], [0, 0], [1, 3], [1, 0]], [[0, 0], [0, 0], [0.5, 0.25], [0.125, 0]]
    return Neighbours(item_to_item, ItemToItem(np.array(index, np.int32), np.array(weight, np.float16)))


def column(name: str, state: UserState, candidates: CandidateSet, items: ItemTable, neighbours: Neighbours) -> dict[int, float]:
    values = pair_features(state, candidates, items, neighbours)[:, PAIR_NUMERIC.index(name)]
    return dict(zip(candidates.index.tolist(), values.tolist(), strict=True))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("times_bought", {1: 0, 2: 5, 3: 0}),
        ("days_since_bought", {1: NEVER_DAYS, 2: 10, 3: NEVER_DAYS}),
        ("due_ratio", {1: 0, 2: 10 / 7, 3: 0}),
        ("decayed_60d", {1: 0, 2: 2.5, 3: 0}),
        ("basket_share_90d", {1: 0, 2: 0.5, 3: 0}),
        ("category_share", {1: 1, 2: 1, 3: 0}),
        ("department_share", {1: 1, 2: 1, 3: 0}),
        ("category_decayed_60d", {1: 2.5, 2: 2.5, 3: 0}),
        ("category_items", {1: 1, 2: 1, 3: 0}),
        ("category_days_since", {1: 10, 2: 10, 3: 400}),
        ("brand_in_category_share", {1: 0, 2: 1, 3: 0}),
        ("bought_with", {1: 0.5, 2: 0, 3: 0}),
        ("bought_with_of_late", {1: 0.5 * np.exp(-10 / 60), 2: 0, 3: 0}),
        ("price_to_user_level", {1: 0.25, 2: 0.5, 3: 1.0}),
        ("two_tower_score", {1: 0.9, 2: 0.3, 3: 0}),
        ("popular_score", {1: 0, 2: 0, 3: 0.7}),
        ("in_session", {1: 0, 2: 0, 3: 1}),
        ("ease_score", {1: 0, 2: 0, 3: 0.4}),
        ("ease_with", {1: 0.625**0.5, 2: 0, 3: 0.5}),
    ],
)
def test_each_column_speaks_of_this_user_and_this_item(  # noqa: PLR0917
    name: str, expected: dict[int, float], state: UserState, candidates: CandidateSet, items: ItemTable, neighbours: Neighbours
) -> None:
    assert column(name, state, candidates, items, neighbours) == pytest.approx(expected, rel=1e-6)


def test_an_unknown_user_has_no_past_but_finite_features(items: ItemTable, candidates: CandidateSet, neighbours: Neighbours) -> None:
    stranger = user_state(None, items, {}, datetime(2026, 11, 27, tzinfo=UTC))
    features = pair_features(stranger, candidates, items, neighbours)
    assert features.dtype == np.float32
    assert features.shape == (3, len(PAIR_NUMERIC))
    assert np.isfinite(features).all()


def test_without_a_table_of_ease_its_column_is_zero_and_the_others_stay(
    state: UserState, candidates: CandidateSet, items: ItemTable, neighbours: Neighbours
) -> None:
    both = pair_features(state, candidates, items, neighbours)
    without = pair_features(state, candidates, items, Neighbours(neighbours.item_to_item))
    column = PAIR_NUMERIC.index("ease_with")
    assert both[:, column].any()
    assert not without[:, column].any()
    np.testing.assert_array_equal(np.delete(without, column, axis=1), np.delete(both, column, axis=1))
