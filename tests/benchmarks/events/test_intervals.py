import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap_benchmarks.events.intervals import mean_interval, percentile_interval, ratio_interval, ratio_of_percentiles
from tests.properties import examples

VALUES = st.lists(st.floats(0.1, 1e4), min_size=2, max_size=200)


@pytest.mark.properties
@given(values=VALUES, at=st.sampled_from([50, 95, 99]))
@examples(40)
def test_a_percentile_lies_in_its_interval(values: list[float], at: int) -> None:
    low, high = percentile_interval(values, at)
    slack = 1e-3
    assert low - slack <= np.percentile(values, at) <= high + slack or high == pytest.approx(max(values), abs=slack)
    assert min(values) - slack <= low <= high <= max(values) + slack


@pytest.mark.properties
@given(values=VALUES)
@examples(20)
def test_a_mean_of_the_same_value_is_certain(values: list[float]) -> None:
    low, high = mean_interval(values)
    assert min(values) - 1e-3 <= low <= high <= max(values) + 1e-3
    assert mean_interval([values[0]] * 5) == pytest.approx((values[0], values[0]), abs=1e-3)


def test_one_value_has_no_interval() -> None:
    assert percentile_interval([1.0], 99) is None
    assert mean_interval([1.0]) is None
    assert ratio_interval([(np.ones(3), np.ones(3))], 99) is None


def test_a_known_ratio_lies_in_its_interval_and_another_does_not() -> None:
    random = np.random.default_rng(3)
    turns = [(first := random.exponential(10, 400), 1.5 * random.permutation(first)) for _ in range(8)]
    assert ratio_of_percentiles(turns, 99) == pytest.approx(1.5)
    low, high = ratio_interval(turns, 99)
    assert low <= 1.5 <= high
    assert low > 1.2 and high < 1.9


def test_a_kind_without_answers_has_no_ratio() -> None:
    assert ratio_of_percentiles([(np.ones(2), np.array([]))], 99) is None
