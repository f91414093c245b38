import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from endcap.engine.retrieval.candidates import Candidates
from endcap.engine.retrieval.eligible import first_eligible


@given(st.lists(st.booleans(), max_size=3000), st.integers(0, 400))
def test_the_first_eligible_items_fill_the_quota_however_far_back_they_stand(may: list[bool], quota: int) -> None:
    shown = np.array([False, *may])
    index = np.arange(1, len(shown), dtype=np.int32)
    found = first_eligible(Candidates(index, np.linspace(1, 0, len(index), dtype=np.float32)), lambda some: shown[some], quota)
    assert found.index.tolist() == [item for item in index.tolist() if shown[item]][:quota]
    assert len(found.score) == len(found.index)


def test_a_long_list_is_asked_about_only_as_far_as_it_is_needed() -> None:
    asked: list[int] = []

    def everything(some: np.ndarray) -> np.ndarray:
        asked.append(len(some))
        return np.ones(len(some), dtype=bool)

    index = np.arange(1, 100_001, dtype=np.int32)
    found = first_eligible(Candidates(index, np.zeros(100_000, np.float32)), everything, 20)
    assert len(found.index) == 20
    assert sum(asked) < 1000
