"""EASE's candidates score what the model's weights say of all that a person has."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from endcap.algorithms.ease import Ease
from endcap.engine.ranking.pair_features import ease_with
from endcap.engine.retrieval.ease import ease_candidates, ease_seeds
from endcap.engine.retrieval.item_to_item import NO_NEIGHBOURS, PAST_SEEDS, ItemToItem
from tests.endcap.algorithms.made_data import drawn_histories, training_data
from tests.endcap.engine.retrieval.made_states import made_state

ITEMS = 7
NOTHING = np.zeros(0, dtype=np.int32)
TABLE = ItemToItem(
    index=np.array([[0, 0], [2, 3], [3, 1], [4, 0], [0, 0]], dtype=np.int32),
    weight=np.array([[0, 0], [0.5, 0.25], [0.25, 0.125], [0.0625, 0], [0, 0]], dtype=np.float16),
)


def everything(index: NDArray[np.int32]) -> NDArray[np.bool_]:
    return np.ones(len(index), dtype=bool)


def weights(histories: list[list[int]], regularisation: float) -> NDArray[np.float64]:
    """float64 [ITEMS + 1, ITEMS + 1] by the closed form, what speaks against an item left out."""
    bought = np.zeros((len(histories), ITEMS))
    for row, history in enumerate(histories):
        bought[row, [item - 1 for item in history]] = 1
    inverse = np.linalg.inv(bought.T @ bought + regularisation * np.eye(ITEMS))
    weight = np.zeros((ITEMS + 1, ITEMS + 1))
    weight[1:, 1:] = inverse / -np.diag(inverse)
    np.fill_diagonal(weight, 0)
    return np.maximum(weight, 0)


@given(
    histories=drawn_histories(items=ITEMS),
    bought=st.sets(st.integers(1, ITEMS)),
    looked_at=st.lists(st.integers(1, ITEMS), max_size=4),
)
def test_scores_are_those_of_a_dense_computation(histories: list[list[int]], bought: set[int], looked_at: list[int]) -> None:
    data = training_data(histories, ITEMS)
    table = Ease(regularisation=2.0).solved(data.interactions).neighbours(ITEMS)
    state = made_state(bought=sorted(bought), history=looked_at, session=looked_at[-1:])
    total = weights(histories, 2.0)[sorted(bought | set(looked_at))].sum(axis=0)
    found = ease_candidates(table, state, NOTHING, everything, ITEMS)
    known = dict(zip(found.index.tolist(), found.score.tolist(), strict=True))
    expected = np.sqrt([0 if item in bought else total[item] for item in range(ITEMS + 1)])
    assert [known.get(item, 0.0) for item in range(ITEMS + 1)] == pytest.approx(expected, abs=0.01)
    assert (np.diff(found.score) <= 0).all()
    every = np.arange(1, ITEMS + 1, dtype=np.int32)
    assert ease_with(state, every, table) == pytest.approx(np.sqrt(total[1:]), abs=0.01)


def test_all_items_count_once_and_alike() -> None:
    state = made_state(bought=[1], history=[2, 2, 2], session=[2])
    assert ease_seeds(state).tolist() == [1, 2]
    found = ease_candidates(TABLE, state, NOTHING, everything, 10)
    assert found.index.tolist() == [2, 3]
    assert found.score == pytest.approx(np.sqrt([0.5, 0.5]))


def test_what_was_bought_before_is_left_out_unless_a_page_asks() -> None:
    state = made_state(bought=[2, 3])
    assert ease_candidates(TABLE, state, NOTHING, everything, 10).index.tolist() == [1, 4]
    assert ease_candidates(TABLE, state, np.array([1], np.int32), everything, 10).index.tolist() == [2, 3]


def test_a_pages_items_alone_speak_and_are_not_recommended() -> None:
    found = ease_candidates(TABLE, made_state(bought=[3]), np.array([2, 1], np.int32), everything, 10)
    assert found.index.tolist() == [3]
    assert found.score == pytest.approx(np.sqrt([0.5]))


def test_the_quota_is_spent_on_what_may_be_shown() -> None:
    state = made_state(bought=[1])
    assert ease_candidates(TABLE, state, NOTHING, everything, 1).index.tolist() == [2]
    assert ease_candidates(TABLE, state, NOTHING, lambda index: index != 2, 1).index.tolist() == [3]
    assert not len(ease_candidates(TABLE, state, NOTHING, everything, 0).index)


@pytest.mark.parametrize("table", [NO_NEIGHBOURS, ItemToItem(np.zeros((5, 0), np.int32), np.zeros((5, 0), np.float16))])
@pytest.mark.parametrize("page", [NOTHING, np.array([2], np.int32)])
def test_without_a_table_there_are_no_candidates(table: ItemToItem, page: NDArray[np.int32]) -> None:
    assert table.is_empty
    assert not len(ease_candidates(table, made_state(bought=[1, 2]), page, everything, 10).index)


def test_somebody_unknown_gets_nothing() -> None:
    assert not len(ease_candidates(TABLE, made_state(), NOTHING, everything, 10).index)


def test_of_a_long_past_what_was_bought_most_and_latest_speaks() -> None:
    many = PAST_SEEDS + 5
    decayed = np.arange(many, dtype=np.float32)
    state = made_state(bought=list(range(1, many + 1)), decayed_60d=decayed)
    assert ease_seeds(state).tolist() == list(range(6, many + 1))
