"""Whatever the scores are, a table holds the best of each row."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from endcap.algorithms.neighbour_tables import fill_rows
from tests.properties import examples


@examples(60)
@given(st.integers(2, 200), st.integers(1, 6), st.integers(2, 9), st.integers(0, 2**32 - 1))
def test_the_highest_scores_above_0_are_kept_and_ties_go_to_the_lower_index(items: int, count: int, levels: int, seed: int) -> None:
    scores = np.random.default_rng(seed).integers(-2, levels, size=items + 1).astype(np.float32)
    scores[0] = -np.inf
    row = seed % items + 1
    index, weight = np.zeros((items + 1, count), np.int32), np.zeros((items + 1, count), np.float16)
    fill_rows(index, weight, np.array([row]), scores[np.newaxis].copy())
    expected = [item for item in np.argsort(-scores, kind="stable") if scores[item] > 0 and item != row][:count]
    assert index[row].tolist() == expected + [0] * (count - len(expected))
    assert weight[row].tolist() == [float(scores[item]) for item in expected] + [0.0] * (count - len(expected))
