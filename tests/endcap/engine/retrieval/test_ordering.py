import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from endcap.engine.retrieval.ordering import distinct_in_order, scored_by_rank


@given(st.lists(st.integers(0, 9), max_size=40))
def test_distinct_items_stand_where_they_stood_first(items: list[int]) -> None:
    assert distinct_in_order(np.array(items, np.int32)).tolist() == list(dict.fromkeys(items))


def test_scores_by_rank_fall() -> None:
    ranked = scored_by_rank(np.array([7, 3, 9], np.int32))
    assert ranked.score.tolist() == [1, 0.5, np.float32(1 / 3)]
