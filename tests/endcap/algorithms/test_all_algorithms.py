"""What holds for every algorithm, whatever the data."""

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from endcap.algorithms.algorithm import TrainingData
from endcap.algorithms.interactions import Interactions
from endcap.algorithms.registry import ALGORITHMS, WITHOUT_NEIGHBOURS, algorithm_of, item_to_item_of
from endcap.core.errors import InvalidInput
from tests.endcap.algorithms.made_data import drawn_histories, interactions_of, random_histories, titled, training_data
from tests.properties import examples

SMALL: dict[str, dict[str, Any]] = {
    "als": {"factors": 4, "iterations": 3},
    "bpr": {"factors": 4, "iterations": 5},
    "svd": {"factors": 3},
    "nmf": {"factors": 3, "iterations": 20},
    "text": {"dimensions": 8, "epochs": 2, "titles_min": 1},
    "graph": {"dimensions": 4, "epochs": 2, "steps_an_epoch": 2},
    "ncf": {"dimensions": 4, "epochs": 1, "batch": 64, "history_max": 5},
}
"""Settings that make the slow ones quick."""

ITEMS = 7


def fitted(name: str, data: TrainingData, seed: int = 1) -> Any:
    return algorithm_of(name, SMALL.get(name)).fit(data, seed)


HISTORIES = drawn_histories(items=ITEMS)
SEEDS = st.integers(0, 2**31 - 1)


@pytest.mark.parametrize("name", [name for name in ALGORITHMS if name != "ncf"])
@examples(5, suppress_health_check=[HealthCheck.too_slow])
@given(learned=HISTORIES, asked=HISTORIES, seed=SEEDS)
def test_scores_are_numbers_for_every_item_or_nothing(name: str, learned: list[list[int]], asked: list[list[int]], seed: int) -> None:
    assert_scores(name, learned, asked, seed)


@examples(2, suppress_health_check=[HealthCheck.too_slow])
@given(learned=HISTORIES, asked=HISTORIES, seed=SEEDS)
def test_scores_of_a_network_are_numbers_too(learned: list[list[int]], asked: list[list[int]], seed: int) -> None:
    assert_scores("ncf", learned, asked, seed)


def assert_scores(name: str, learned: list[list[int]], asked: list[list[int]], seed: int) -> None:
    scores = fitted(name, titled(training_data(learned, ITEMS)), seed).scores(interactions_of(asked, ITEMS))
    assert scores.shape == (len(asked), ITEMS + 1)
    assert scores.dtype == np.float32
    assert np.isneginf(scores[:, 0]).all()
    assert (np.isfinite(scores) | np.isneginf(scores)).all()


@pytest.mark.parametrize("name", ALGORITHMS)
def test_the_same_seed_gives_the_same_scores(name: str) -> None:
    data = titled(training_data(random_histories(20, 10, 4, seed=5), 10))
    first, again = (fitted(name, data, seed=3).scores(data.interactions) for _ in range(2))
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_user_is_scored_alike_alone_and_among_others(name: str) -> None:
    data = titled(training_data(random_histories(20, 10, 4, seed=6), 10))
    model = fitted(name, data)
    one = model.scores(data.interactions.of_users(np.array([7])))
    np.testing.assert_allclose(one[0], model.scores(data.interactions)[7], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", [name for name in ALGORITHMS if name not in WITHOUT_NEIGHBOURS])
def test_a_table_of_neighbours_is_sorted_and_without_the_item_itself(name: str) -> None:
    table = item_to_item_of(fitted(name, titled(training_data(random_histories(30, 10, 5, seed=7), 10))), 4)
    assert table.index.shape == table.weight.shape == (11, 4)
    assert (table.index[0] == 0).all()
    assert (table.index[1:] != np.arange(1, 11)[:, None]).all()
    assert (np.diff(table.weight.astype(np.float32), axis=1) <= 0).all()
    assert ((table.weight > 0) == (table.index > 0)).all()
    assert (table.index[:, 0] > 0).any()


@pytest.mark.parametrize("name", WITHOUT_NEIGHBOURS)
def test_a_method_without_neighbours_says_which_have_them(name: str) -> None:
    with pytest.raises(InvalidInput, match="one of item_to_item_cosine"):
        item_to_item_of(fitted(name, training_data([[1, 2]], 2)), 4)


LEARN_FROM_PURCHASES: dict[str, dict[str, Any]] = {
    "item_to_item_cosine": {},
    "item_to_item_lift": {},
    "item_to_item_recent": {},
    "user_neighbours": {},
    "als": {"factors": 4},
    "bpr": {"factors": 8},
    "svd": {"factors": 2},
    "nmf": {"factors": 2},
    "ease": {},
    "graph": {"dimensions": 8},
}


@pytest.mark.parametrize("name", LEARN_FROM_PURCHASES)
def test_people_are_recommended_what_their_kind_buys(name: str) -> None:
    data = training_data(random_histories(60, 12, 6, seed=8), 12)
    scores = algorithm_of(name, LEARN_FROM_PURCHASES[name]).fit(data, 1).scores(interactions_of([[1, 2, 3], [7, 8, 9]], 12))
    assert scores[0, 4:7].min() > scores[0, 10:].max()
    assert scores[1, 10:].min() > scores[1, 4:7].max()


def test_a_history_may_be_empty() -> None:
    nobody = interactions_of([[]], 10)
    data = titled(training_data(random_histories(20, 10, 4, seed=9), 10))
    for name in ALGORITHMS:
        assert fitted(name, data).scores(nobody).shape == (1, 11), name


def test_nobody_at_all_may_be_asked_for() -> None:
    data = titled(training_data(random_histories(20, 10, 4, seed=9), 10))
    none = Interactions(np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32), 10)
    for name in ALGORITHMS:
        assert fitted(name, data).scores(none).shape == (0, 11), name
