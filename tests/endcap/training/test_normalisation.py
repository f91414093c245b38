import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from endcap.training.normalisation import STANDARDISED_MAX, Standardisation

VALUES = arrays(np.float32, (12, 3), elements=st.floats(-1e4, 1e4, width=32))


@settings(max_examples=25, deadline=None)
@given(VALUES)
def test_normalised_values_are_bounded_and_keep_their_order(values: np.ndarray) -> None:
    normal = Standardisation.fit(values).apply(values).numpy()
    assert np.isfinite(normal).all()
    assert np.abs(normal).max() <= STANDARDISED_MAX
    for column in range(values.shape[1]):
        order = np.argsort(values[:, column], kind="stable")
        assert (np.diff(normal[order, column]) >= -1e-5).all()


def test_column_that_never_changes_becomes_zero() -> None:
    values = np.full((5, 1), 7, dtype=np.float32)
    np.testing.assert_allclose(Standardisation.fit(values).apply(values).numpy(), 0, atol=1e-6)
