import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from endcap.engine.retrieval.shares import Shares


@given(st.dictionaries(st.integers(0, 20), st.floats(0, 1, width=32), max_size=10), st.lists(st.integers(0, 25), max_size=30))
def test_looking_up_is_the_same_as_in_a_column_for_every_code(given_shares: dict[int, float], codes: list[int]) -> None:
    shares = Shares.of(np.array(list(given_shares), np.int32), np.array(list(given_shares.values()), np.float32))
    dense = np.zeros(26, np.float32)
    for code, share in given_shares.items():
        dense[code] = share if code else 0
    np.testing.assert_array_equal(shares[np.array(codes, np.int32)], dense[np.array(codes, np.int64)])
