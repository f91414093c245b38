"""EASE follows its closed form, whichever side it is solved on."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from endcap.algorithms.ease import BUYERS_SHARE, ITEMS_SHARE, Dual, Ease, Learned, Primal, default_regularisation
from endcap.algorithms.interactions import Interactions
from endcap.algorithms.item_to_item import ItemToItemCosine
from tests.endcap.algorithms.made_data import drawn_histories, interactions_of, random_histories, training_data


def closed_form(x: NDArray[np.float64], regularisation: float) -> NDArray[np.float64]:
    """B of the paper's algorithm 1."""
    inverse = np.linalg.inv(x.T @ x + regularisation * np.eye(x.shape[1]))
    weight = inverse / -np.diag(inverse)
    np.fill_diagonal(weight, 0)
    return weight


@pytest.mark.parametrize(("users", "items"), [(30, 12), (8, 20)])
def test_scores_are_those_of_the_closed_form(users: int, items: int) -> None:
    data = training_data(random_histories(users, items, 5, seed=1), items)
    bought = data.interactions.bought.toarray().astype(np.float64)
    known = np.flatnonzero(bought.sum(axis=0))
    fitted = Ease(regularisation=3.0).fit(data, seed=0)
    expected = bought[:, known] @ closed_form(bought[:, known], 3.0)
    assert fitted.scores(data.interactions)[:, known] == pytest.approx(expected, abs=1e-4)


def test_both_sides_give_the_same() -> None:
    bought = interactions_of(random_histories(15, 15, 6, seed=2), 15).bought
    learned = Learned(np.arange(1, 16), bought[:, 1:].tocsr())
    one, other = np.empty(learned.users_with.shape, np.float32), np.empty(learned.users_with.shape, np.float32)
    Primal.of(learned, 2.0).rebuild(learned.users_with, one)
    Dual.of(learned, 2.0, block_items=4).rebuild(learned.users_with, other)
    assert one == pytest.approx(other, abs=1e-4)


def test_items_that_nobody_bought_are_not_recommended() -> None:
    scores = Ease().fit(training_data([[1, 2], [1, 2], [1, 4]], 4), seed=0).scores(interactions_of([[1], []], 4))
    assert np.isneginf(scores[:, [0, 3]]).all()
    assert np.isfinite(scores[:, [1, 2, 4]]).all()


def test_only_the_most_bought_items_are_learned_where_neither_side_fits() -> None:
    fitted = Ease(side_max=2).fit(training_data([[1, 2], [1, 2, 3], [2, 1], [3, 2]], 3), seed=0)
    assert np.isfinite(fitted.scores(interactions_of([[1]], 3))).tolist() == [[False, True, True, False]]


def test_items_that_are_not_learned_have_their_neighbours_by_cosine() -> None:
    data = training_data([[1, 2], [1, 2, 3], [2, 1], [3, 2]], 3)
    table = Ease(side_max=2).fit(data, seed=0).neighbours(2)
    by_cosine = ItemToItemCosine().fit(data, seed=0).neighbours(2)
    assert table.index[3].tolist() == by_cosine.index[3].tolist() == [2, 1]
    assert not np.isin(table.index[1:3], 3).any()


def test_neighbours_are_the_items_with_the_highest_weights() -> None:
    data = training_data(random_histories(25, 10, 4, seed=3), 10)
    fitted = Ease(regularisation=1.0).fit(data, seed=0)
    table = fitted.neighbours(3)
    for item in range(1, 11):
        scores = fitted.scores(interactions_of([[item]], 10))[0]
        scores[item] = -np.inf
        best = [other for other in np.argsort(-scores, kind="stable")[:3] if scores[other] > 0]
        assert [other for other in table.index[item] if other] == best


def test_recent_purchases_count_more_where_they_decay() -> None:
    data = training_data([[1, 3], [1, 3], [2, 4], [2, 4], [1, 2]], 4)
    alike, decayed = (Ease(regularisation=1.0, decay_days=decay).fit(data, seed=0) for decay in (None, 0.5))
    history = interactions_of([[1, 2]], 4)
    assert alike.scores(history)[0, 3] == pytest.approx(alike.scores(history)[0, 4])
    assert decayed.scores(history)[0, 4] > decayed.scores(history)[0, 3]


def bought_by_all(users: int, items: int) -> Interactions:
    """Every user bought every item once."""
    return interactions_of([list(range(1, items + 1))] * users, items)


@pytest.mark.parametrize(
    ("users", "items", "expected"),
    [(3, 100, BUYERS_SHARE * 3), (100, 3, ITEMS_SHARE * 3), (5, 8, BUYERS_SHARE * 5), (8, 5, ITEMS_SHARE * 5)],
)
def test_the_default_follows_from_buyers_an_item_or_items_a_user_whichever_asks_for_less(users: int, items: int, expected: float) -> None:
    assert default_regularisation(bought_by_all(users, items)) == pytest.approx(expected)


@given(histories=drawn_histories(), times=st.integers(2, 4))
def test_more_people_of_the_same_kind_never_ask_for_more_than_their_items_do(histories: list[list[int]], times: int) -> None:
    once, often = (default_regularisation(interactions_of(histories * count, 7)) for count in (1, times))
    assert once * (1 - 1e-6) <= often <= times * once * (1 + 1e-6)
    items = [len(set(history)) for history in histories]
    assert often <= max(ITEMS_SHARE * sum(count**2 for count in items) / sum(items), 1) * (1 + 1e-6)


def test_a_weight_counts_its_square() -> None:
    plain = bought_by_all(40, 6)
    halved = replace(plain, weight=np.full(len(plain), 0.5, dtype=np.float32))
    assert default_regularisation(halved) == pytest.approx(default_regularisation(plain) / 4)


def test_data_without_a_purchase_has_a_default() -> None:
    assert default_regularisation(interactions_of([[]], 3)) == 1


def test_solved_alone_leaves_items_that_are_not_learned_without_neighbours() -> None:
    data = training_data([[1, 2], [1, 2, 3], [2, 1], [3, 2]], 3)
    table = Ease(side_max=2).solved(data.interactions).neighbours(2)
    assert not table.index[3].any()
    np.testing.assert_array_equal(table.index[1:3], Ease(side_max=2).fit(data, seed=0).neighbours(2).index[1:3])
