import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from endcap.training.normalisation import STANDARDISED_MAX, Standardisation
from tests.properties import examples

VALUES = arrays(np.float32, (12, 3), elements=st.floats(-1e4, 1e4, width=32))
NEIGHBOURS = np.float32(
    [4177.4287, 4177.429, 4177.429, 4177.429, 4177.429, 4177.429, 4177.429, 4177.4297, 4177.4297, 4177.4297, 4177.4297, 4198.345]
)
"""Adjacent floats and one value that makes their deviation small."""
LOG_ROUNDING = 4
"""Last places by which float32 logs of neighbouring values may swap: log1p rounds, and in vector registers not as in scalar ones."""


@examples(25)
@given(VALUES)
@example(np.tile(np.random.default_rng(0).permutation(NEIGHBOURS)[:, None], 3))
def test_normalised_values_are_bounded_and_keep_their_order(values: np.ndarray) -> None:
    constants = Standardisation.fit(values)
    normal = constants.apply(values).numpy()
    assert np.isfinite(normal).all()
    assert np.abs(normal).max() <= STANDARDISED_MAX
    changed = np.flatnonzero(constants.deviation)
    assert normal.shape[1] == (len(changed) or values.shape[1])
    for place, column in enumerate(changed):
        order = np.argsort(values[:, column], kind="stable")
        last_place = np.spacing(np.log1p(np.abs(values[:, column]).max()))
        assert (np.diff(normal[order, place]) >= -LOG_ROUNDING * last_place / constants.deviation[column]).all()


def test_columns_that_never_changed_are_left_out() -> None:
    changing = np.arange(5, dtype=np.float32)[:, None]
    values = np.concatenate([np.full((5, 1), 7, dtype=np.float32), changing, np.zeros((5, 2), dtype=np.float32)], axis=1)
    constants = Standardisation.fit(values)
    expected = Standardisation.fit(changing).apply(changing).numpy()
    np.testing.assert_array_equal(constants.apply(values).numpy(), expected)
    values[:, [0, 2]] += 9
    np.testing.assert_array_equal(constants.apply(values).numpy(), expected)


def test_columns_of_which_none_changed_are_zeros() -> None:
    values = np.full((5, 2), 7, dtype=np.float32)
    np.testing.assert_array_equal(Standardisation.fit(values).apply(values + 1).numpy(), np.zeros((5, 2)))
