import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from endcap.engine.retrieval.ordering import recently_viewed_candidates

some_items = st.lists(st.integers(1, 12), max_size=25)


@given(some_items, some_items, st.sets(st.integers(1, 12)), st.integers(0, 12))
def test_looks_stand_newest_first_without_what_was_bought(viewed: list[int], bought: list[int], hidden: set[int], quota: int) -> None:
    found = recently_viewed_candidates(
        np.array(viewed, np.int32),
        np.array(bought, np.int32),
        lambda index: np.array([item not in hidden for item in index.tolist()], dtype=bool),
        quota,
    )
    expected = [item for item in dict.fromkeys(reversed(viewed)) if item not in bought and item not in hidden]
    assert found.index.tolist() == expected[:quota]
    assert (np.diff(found.score) < 0).all()
