"""From scores to lists: order, eligibility, what was bought, and filling up."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from endcap.engine.retrieval.candidates import Candidates
from endcap.evaluation.ranked_lists import ScoredPairs
from endcap.evaluation.user_items import UserItems
from tests.properties import examples


def pairs(*rows: tuple[int, int], users: int) -> UserItems:
    return UserItems(np.array([row for row, _ in rows], dtype=np.int64), np.array([item for _, item in rows], dtype=np.int32), users)


def scored(*rows: tuple[int, int, float], users: int) -> ScoredPairs:
    return ScoredPairs(pairs(*((row, item) for row, item, _ in rows), users=users), np.array([score for _, _, score in rows]))


def test_lists_are_in_order_of_score_then_item() -> None:
    lists = scored((0, 3, 1.0), (0, 2, 1.0), (0, 9, 5.0), (2, 4, 0.1), users=3).lists(3)
    assert lists.items.tolist() == [[9, 2, 3], [0, 0, 0], [4, 0, 0]]


def test_only_eligible_items_stay() -> None:
    eligible = np.array([False, True, False, True])
    assert scored((0, 1, 1.0), (0, 2, 9.0), (0, 3, 2.0), users=1).eligible(eligible).lists(3).items.tolist() == [[3, 1, 0]]


def test_what_a_user_bought_goes_for_that_user_only() -> None:
    bought = pairs((0, 1), (1, 2), users=2)
    both = ScoredPairs.same_for_all(Candidates(np.array([1, 2], np.int32), np.array([2.0, 1.0], np.float32)), np.array([2, 2]))
    assert both.new_to_user(bought).lists(2).items.tolist() == [[2, 0], [1, 0]]


def test_filling_keeps_the_own_items_in_front() -> None:
    own = scored((0, 5, 0.01), users=2)
    popular = ScoredPairs.same_for_all(
        Candidates(np.array([7, 5, 8], np.int32), np.array([90.0, 80.0, 70.0], np.float32)), np.array([3, 3])
    )
    assert own.filled_from(popular).lists(3).items.tolist() == [[5, 7, 8], [7, 5, 8]]


def test_same_for_all_takes_each_users_depth() -> None:
    best = Candidates(np.array([4, 6, 2], np.int32), np.array([3.0, 2.0, 1.0], np.float32))
    assert ScoredPairs.same_for_all(best, np.array([1, 0, 9])).lists(3).items.tolist() == [[4, 0, 0], [0, 0, 0], [4, 6, 2]]


def test_hits_ignore_the_places_without_an_item() -> None:
    truth = pairs((0, 4), (1, 4), users=2)
    assert scored((0, 4, 1.0), users=2).lists(2).hits(truth).tolist() == [[True, False], [False, False]]


def test_without_takes_pairs_away() -> None:
    left = pairs((0, 1), (0, 2), (1, 1), users=2).without(pairs((0, 2), users=2))
    assert left.item_index.tolist() == [1, 1]
    assert left.counts.tolist() == [1, 1]


@given(st.integers(1, 6), st.integers(1, 30), st.integers(1, 12), st.integers(0, 2**32 - 1))
@examples(40)
def test_lists_equal_sorting_each_user_alone(users: int, items: int, k: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    chosen = random.random((users, items)) < 0.5
    row, item = np.nonzero(chosen)
    score = random.random(len(row))
    lists = ScoredPairs(UserItems(row.astype(np.int64), (item + 1).astype(np.int32), users), score).lists(k)
    for user in range(users):
        mine = row == user
        expected = (item[mine] + 1)[np.argsort(-score[mine])][:k]
        assert lists.items[user].tolist() == [*expected.tolist(), *[0] * (k - len(expected))]
