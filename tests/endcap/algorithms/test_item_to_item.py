"""Item-to-item scores are sums of what counting by hand gives."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given

from endcap.algorithms.item_to_item import ItemToItemCosine, ItemToItemLift, ItemToItemRecent
from endcap.algorithms.weights import recency_weights
from tests.endcap.algorithms.made_data import drawn_histories, interactions_of, training_data
from tests.properties import examples

ITEMS = 6


def buyers(histories: list[list[int]], *items: int) -> int:
    return sum(set(items) <= set(history) for history in histories)


def cosine(histories: list[list[int]], one: int, other: int) -> float:
    return buyers(histories, one, other) / ((buyers(histories, one) * buyers(histories, other)) ** 0.5 + 2)


def lift(histories: list[list[int]], one: int, other: int) -> float:
    both = buyers(histories, one, other)
    chance = buyers(histories, one) * buyers(histories, other) / len(histories)
    return float(np.log(max(both / chance, 1)) * both / (both + 2)) if both else 0.0


@examples(25)
@given(drawn_histories(items=ITEMS))
def test_scores_are_sums_over_the_history(histories: list[list[int]]) -> None:
    data = training_data(histories, ITEMS)
    for algorithm, by_hand in ((ItemToItemCosine(shrinkage=2), cosine), (ItemToItemLift(shrinkage=2), lift)):
        scores = algorithm.fit(data, seed=0).scores(data.interactions)
        for row, history in enumerate(histories):
            for item in range(1, ITEMS + 1):
                expected = sum(by_hand(histories, one, item) for one in set(history) if one != item)
                found = scores[row, item]
                assert (found == -np.inf and expected == 0) or found == pytest.approx(expected, rel=2e-3)


def test_the_newest_purchase_weighs_most() -> None:
    learned = [[1, 3], [1, 3], [2, 4], [2, 4]]
    scores = ItemToItemRecent(decay_days=1.0).fit(training_data(learned, 4), seed=0).scores(interactions_of([[1, 2], [2, 1]], 4))
    assert scores[0, 4] > scores[0, 3]
    assert scores[1, 3] > scores[1, 4]
    assert scores[0, 3] / scores[0, 4] == pytest.approx(np.exp(-1), rel=1e-3)


@examples(25)
@given(drawn_histories(items=ITEMS))
def test_recency_counts_the_newest_purchase_of_an_item_from_the_users_own_end(histories: list[list[int]]) -> None:
    weights = recency_weights(interactions_of(histories, ITEMS), 2.0).toarray()
    for row, history in enumerate(histories):
        for item in range(1, ITEMS + 1):
            steps_back = [len(history) - 1 - place for place, bought in enumerate(history) if bought == item]
            assert weights[row, item] == pytest.approx(np.exp(-min(steps_back) / 2) if steps_back else 0)


def test_fewer_neighbours_are_the_first_of_more() -> None:
    fitted = ItemToItemCosine().fit(training_data([[1, 2, 3], [1, 2], [3, 4]], 4), seed=0)
    assert np.array_equal(fitted.neighbours(2).index, fitted.neighbours(3).index[:, :2])
    assert all(fitted.table.weight[1, place] >= fitted.table.weight[1, after] for place, after in pairwise(range(3)))
