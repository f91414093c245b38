import numpy as np
import pytest

from endcap_components.export_bundle.step import USERS_MAX, similar_users_of
from tests.endcap.engine.retrieval.made_states import made_state

EMBEDDINGS = np.array([[0, 0], [1, 0], [0, 1], [-1, 0]], np.float32)
ELIGIBLE = np.array([False, True, True, False])


def test_users_stand_in_the_middle_of_what_they_buy() -> None:
    table = similar_users_of([made_state(bought=[1, 2])], EMBEDDINGS, ELIGIBLE)
    assert table.embedding[0] == pytest.approx([0.5**0.5, 0.5**0.5])
    assert table.weight.sum(axis=1) == pytest.approx([1])


def test_the_most_bought_comes_first_and_rare_items_are_left_out() -> None:
    table = similar_users_of([made_state(bought=[1, 2, 3], decayed_60d=[1, 4, 9])], EMBEDDINGS, ELIGIBLE)
    assert table.index[0, :3].tolist() == [2, 1, 0]
    assert table.weight[0, :3] == pytest.approx([2 / 3, 1 / 3, 0])


def test_users_who_bought_nothing_that_counts_are_no_neighbours() -> None:
    states = [made_state(), made_state(bought=[3]), made_state(bought=[1])]
    assert similar_users_of(states, EMBEDDINGS, ELIGIBLE).index[:, 0].tolist() == [1]


def test_the_table_is_bounded_to_the_most_active() -> None:
    states = [made_state(bought=[1], decayed_60d=[1.0]) for _ in range(USERS_MAX)] + [made_state(bought=[2], decayed_60d=[5.0])]
    table = similar_users_of(states, EMBEDDINGS, ELIGIBLE)
    assert len(table.index) == USERS_MAX
    assert table.index[0, 0] == 2


def test_no_users_make_an_empty_table() -> None:
    assert similar_users_of([], EMBEDDINGS, ELIGIBLE).embedding.shape == (0, 2)
