import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from endcap_benchmarks.quality.protocols.leave_one_out import LAST_ITEM, leave_one_out_task
from endcap_benchmarks.quality.recommending import TruthLists, top_items, user_blocks
from endcap_benchmarks.quality.recorded_purchases import RecordedPurchases
from tests.properties import examples

SCORES = arrays.arrays(
    np.float32,
    st.tuples(st.integers(1, 5), st.integers(1, 30)),
    elements=st.one_of(st.just(-np.inf), st.sampled_from([-1.5, 0.0, 0.0, 2.0]), st.floats(-1e6, 1e6, width=32)),
)


@given(SCORES, st.integers(1, 40))
@examples(150)
def test_top_items_equals_a_full_sort_with_ties_by_index(scores: np.ndarray, depth: int) -> None:
    found = top_items(scores, depth)
    for row, of_user in enumerate(scores):
        order = [index for index in np.lexsort((np.arange(len(of_user)), -of_user)) if of_user[index] != -np.inf][:depth]
        assert found[row].tolist() == order + [0] * (depth - len(order))


def test_blocks_hold_every_user_once() -> None:
    rows = np.concatenate(list(user_blocks(1_234, 50_000)))
    assert rows.tolist() == list(range(1_234))


def test_hidden_items_and_padding_never_stand_in_a_list(sequences: RecordedPurchases) -> None:
    task = leave_one_out_task(sequences, "test")
    lists = TruthLists(task, 100)
    random = np.random.default_rng(0)
    for rows in np.array_split(np.arange(task.users), 7):
        scores = random.random((len(rows), task.item_count + 1), dtype=np.float32)
        scores[:, 0] = 9
        lists.fill(rows, scores)
    found = lists.lists()[LAST_ITEM]
    assert not found.hits(task.bought).any()
    assert ((found.items > 0).sum(axis=1) == task.item_count - task.bought.counts).all()


def test_scores_that_are_no_numbers_or_of_another_shape_are_refused(sequences: RecordedPurchases) -> None:
    task = leave_one_out_task(sequences, "test")
    lists = TruthLists(task, 10)
    with pytest.raises(ValueError, match="have shape"):
        lists.fill(np.arange(3), np.zeros((3, 4), np.float32))
    with pytest.raises(ValueError, match="not a number"):
        lists.fill(np.arange(3), np.full((3, task.item_count + 1), np.nan, np.float32))
