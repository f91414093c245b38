import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.engine.retrieval.neighbour_sums import summed, summed_neighbours, without


@given(st.lists(st.tuples(st.integers(0, 12), st.floats(0, 10, width=32)), max_size=60))
def test_every_item_stands_once_with_all_it_was_given(entries: list[tuple[int, float]]) -> None:
    items = np.array([item for item, _ in entries], np.int32)
    found, total = summed(items, np.array([value for _, value in entries], np.float32))
    expected: dict[int, float] = {}
    for item, value in entries:
        expected[item] = expected.get(item, 0.0) + value
    expected.pop(0, None)
    assert found.tolist() == sorted(expected)
    assert total.tolist() == pytest.approx([expected[item] for item in sorted(expected)], rel=1e-5, abs=1e-6)
    assert (found.dtype, total.dtype) == (np.int32, np.float32)


def test_rows_count_by_their_seed_and_as_often_as_they_are_asked_for() -> None:
    index = np.array([[0, 0], [2, 3], [3, 0], [0, 0]], np.int32)
    weight = np.array([[0, 0], [0.5, 0.25], [1, 0], [0, 0]], np.float16)
    found, total = summed_neighbours(index, weight, np.array([1, 2, 1], np.int32), np.array([1, 10, 2], np.float32))
    assert found.tolist() == [2, 3]
    assert total.tolist() == [1.5, 10.75]


@given(st.sets(st.integers(1, 30)), st.lists(st.integers(1, 30)))
def test_without_tells_what_is_left(index: set[int], removed: list[int]) -> None:
    ascending = np.array(sorted(index), np.int32)
    kept = without(ascending, np.array(removed, np.int32))
    assert ascending[kept].tolist() == sorted(index - set(removed))
