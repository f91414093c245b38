import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.algorithms.co_occurrence import cosine, nearest_by
from tests.properties import examples

SHRINKAGE = 2.0


def by_hand(user_row: list[int], item: list[int], one: int, other: int) -> float:
    """Cosine of co-purchase with shrinkage, from sets."""
    buyers = {wanted: {user for user, bought in zip(user_row, item, strict=True) if bought == wanted} for wanted in (one, other)}
    shared = len(buyers[one] & buyers[other])
    return shared / ((len(buyers[one]) * len(buyers[other])) ** 0.5 + SHRINKAGE) if shared else 0.0


@examples(40)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 6)), min_size=1, max_size=40), st.integers(1, 8))
def test_weights_are_the_shrunk_cosine_whatever_the_block_size(pairs: list[tuple[int, int]], block_rows: int) -> None:
    user_row, item = [user for user, _ in pairs], [bought for _, bought in pairs]
    index, weight = nearest_by(
        np.array(user_row, np.int64), np.array(item, np.int32), 6, cosine(SHRINKAGE), neighbours=6, block_rows=block_rows
    )
    for one in range(1, 7):
        found = dict(zip(index[one], weight[one], strict=True))
        for other in range(1, 7):
            expected = 0.0 if one == other else by_hand(user_row, item, one, other)
            assert found.get(other, 0.0) == pytest.approx(expected, rel=1e-3)
