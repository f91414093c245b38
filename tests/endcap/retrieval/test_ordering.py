import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from endcap.retrieval.candidates import Candidates
from endcap.retrieval.ordering import best_first, distinct_in_order, scored_by_rank

items_with_scores = st.dictionaries(
    st.integers(1, 2**31 - 1), st.floats(-(2.0**60), 2.0**60, width=32).map(lambda score: score + 0.0), max_size=60
)


@given(items_with_scores, st.integers(0, 70))
def test_best_first_is_the_order_by_score_then_item(scored: dict[int, float], quota: int) -> None:
    index, score = np.array(list(scored), np.int32), np.array(list(scored.values()), np.float32)
    found = best_first(index, score, quota)
    expected = sorted(scored.items(), key=lambda pair: (-np.float32(pair[1]), pair[0]))[:quota]
    assert found.index.tolist() == [item for item, _ in expected]
    assert found.score.tolist() == [np.float32(value) for _, value in expected]
    assert (found.index.dtype, found.score.dtype) == (np.int32, np.float32)


@given(items_with_scores)
def test_best_first_agrees_with_the_slower_way(scored: dict[int, float]) -> None:
    index, score = np.array(list(scored), np.int32), np.array(list(scored.values()), np.float32)
    one, other = best_first(index, score, len(index)), Candidates.best(index, score, len(index))
    np.testing.assert_array_equal(one.index, other.index)
    np.testing.assert_array_equal(one.score, other.score)


@given(st.lists(st.integers(0, 9), max_size=40))
def test_distinct_items_stand_where_they_stood_first(items: list[int]) -> None:
    assert distinct_in_order(np.array(items, np.int32)).tolist() == list(dict.fromkeys(items))


def test_scores_by_rank_fall() -> None:
    ranked = scored_by_rank(np.array([7, 3, 9], np.int32))
    assert ranked.score.tolist() == [1, 0.5, np.float32(1 / 3)]
