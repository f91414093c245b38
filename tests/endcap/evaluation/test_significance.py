from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.evaluation.significance import ALPHA, holm, paired_p_value
from tests.properties import examples


def test_without_a_difference_few_comparisons_are_significant() -> None:
    random = np.random.default_rng(5)
    found = [paired_p_value(random.normal(size=200)) < ALPHA for _ in range(400)]
    assert np.mean(found) == pytest.approx(ALPHA, abs=0.03)


def test_a_clear_difference_is_significant_and_none_is_not() -> None:
    random = np.random.default_rng(5)
    assert paired_p_value(0.3 + random.normal(size=400)) < 0.001
    assert paired_p_value(np.zeros(400)) == 1.0
    assert paired_p_value(np.full(400, 0.2)) == 0.0
    assert paired_p_value(np.ones(1)) == 1.0


@given(st.dictionaries(st.text(min_size=1, max_size=3), st.floats(0, 1), min_size=1, max_size=8))
@examples(60)
def test_holm_never_lowers_keeps_the_order_and_stays_below_bonferroni(p_values: dict[str, float]) -> None:
    adjusted = holm(p_values)
    names = sorted(p_values, key=lambda name: p_values[name])
    assert all(p_values[name] <= adjusted[name] <= min(1.0, p_values[name] * len(p_values)) + 1e-12 for name in names)
    assert all(adjusted[one] <= adjusted[other] for one, other in pairwise(names))


def test_holm_as_in_the_textbook() -> None:
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03}) == pytest.approx({"a": 0.03, "c": 0.06, "b": 0.06})
