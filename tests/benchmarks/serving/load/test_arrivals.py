import numpy as np
import pytest

from endcap_benchmarks.serving.load.plan import due_times


@pytest.mark.parametrize("arrivals", ["poisson", "fixed"])
def test_there_are_rate_times_seconds_arrivals_in_order_and_in_time(arrivals) -> None:
    due = due_times(20.0, 6.0, arrivals, seed=1)
    assert len(due) == 120
    assert due == sorted(due)
    assert due[0] >= 0
    assert due[-1] < 6.0


def test_fixed_arrivals_are_equally_far_apart() -> None:
    np.testing.assert_allclose(np.diff(due_times(50.0, 2.0, "fixed", seed=1)), 0.02)


def test_poisson_arrivals_vary_as_much_as_their_mean() -> None:
    gaps = np.diff(due_times(100.0, 100.0, "poisson", seed=3))
    assert gaps.std() == pytest.approx(gaps.mean(), rel=0.05)
    assert due_times(10.0, 3.0, "poisson", seed=4) == due_times(10.0, 3.0, "poisson", seed=4)
