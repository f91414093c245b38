from dataclasses import replace

import numpy as np
import pytest

from endcap.catalogue.item_table import ItemTable
from endcap.engine.retrieval.item_to_item import PAST_SEEDS, ItemToItem, item_to_item_candidates, past_seeds
from endcap.engine.retrieval.user_state import UserState


@pytest.fixture
def table() -> ItemToItem:
    """Item 1 goes with 2 and 3, item 2 with 4."""
    index = np.array([[0, 0], [2, 3], [4, 0], [0, 0], [0, 0]], dtype=np.int32)
    weight = np.array([[0, 0], [0.5, 0.25], [0.75, 0], [0, 0], [0, 0]], dtype=np.float16)
    return ItemToItem(index, weight)


def test_the_page_item_comes_before_the_history_and_is_not_recommended(table: ItemToItem, stranger: UserState) -> None:
    state = replace(stranger, history=np.array([2], np.int32), history_age_days=np.array([0], np.float32))
    found = table.candidates(state, np.array([1], np.int32), quota=10)
    assert list(found.index) == [2, 3, 4]


def test_the_quota_is_spent_on_what_may_be_shown(table: ItemToItem, stranger: UserState) -> None:
    page = np.array([1], np.int32)
    assert item_to_item_candidates(table, stranger, page, lambda index: index != 2, 1).index.tolist() == [3]
    assert item_to_item_candidates(table, stranger, page, lambda index: index > 0, 1).index.tolist() == [2]


def test_items_without_neighbours_are_known(table: ItemToItem) -> None:
    assert table.has_neighbours().tolist() == [False, True, True, False, False]


def test_older_history_weighs_less(table: ItemToItem, stranger: UserState) -> None:
    def score(age_days: float) -> float:
        state = replace(stranger, history=np.array([2], np.int32), history_age_days=np.array([age_days], np.float32))
        return float(table.candidates(state, np.zeros(0, np.int32), quota=10).score[0])

    assert score(0) > score(30) > score(90) > 0


def test_somebody_unknown_gets_nothing(table: ItemToItem, stranger: UserState) -> None:
    assert len(table.candidates(stranger, np.zeros(0, np.int32), quota=10).index) == 0


@pytest.fixture
def stranger(small_catalogue: ItemTable) -> UserState:
    from datetime import UTC, datetime

    from endcap.engine.retrieval.user_state import user_state

    return user_state(None, small_catalogue, {}, datetime(2026, 11, 27, tzinfo=UTC))


def test_what_was_bought_before_is_left_to_buy_again_unless_a_page_asks(table: ItemToItem, stranger: UserState) -> None:
    one = np.ones(2, np.float32)
    state = replace(stranger, pair_index=np.array([1, 2], np.int32), decayed_60d=one, days_since_bought=one)
    nothing = np.zeros(0, np.int32)
    assert item_to_item_candidates(table, state, nothing, lambda index: index > 0, 10).index.tolist() == [4, 3]
    assert item_to_item_candidates(table, state, np.array([1], np.int32), lambda index: index > 0, 10).index.tolist() == [2, 3]


@pytest.mark.parametrize("bought", [3, PAST_SEEDS, PAST_SEEDS + 50])
def test_the_seeds_are_what_was_bought_most(bought: int, stranger: UserState) -> None:
    decayed = np.random.default_rng(0).permutation(bought).astype(np.float32)
    seeds = past_seeds(replace(stranger, pair_index=np.arange(1, bought + 1, dtype=np.int32), decayed_60d=decayed))
    assert len(seeds) == min(bought, PAST_SEEDS)
    assert decayed[seeds].min() == max(0, bought - PAST_SEEDS)
