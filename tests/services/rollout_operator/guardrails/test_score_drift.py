"""Population stability index."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from endcap_rollout_operator.guardrails.score_drift import BIN_SHARE_MIN, ENOUGH, merged_bins, population_stability_index

histograms = st.integers(2, 20).flatmap(lambda bins: st.tuples(*[st.lists(st.integers(0, 10_000), min_size=bins, max_size=bins)] * 2))


def test_a_worked_example() -> None:
    one, other = np.array([0.2, 0.3, 0.5]), np.array([0.3, 0.3, 0.4])
    by_hand = (0.2 - 0.3) * np.log(0.2 / 0.3) + (0.5 - 0.4) * np.log(0.5 / 0.4)
    assert population_stability_index(one * 1e9, other * 1e9) == pytest.approx(by_hand, rel=1e-6)


@given(histograms)
def test_equal_distributions_have_an_index_of_zero(drawn: tuple[list[int], list[int]]) -> None:
    assert population_stability_index(drawn[0], drawn[0]) == pytest.approx(0, abs=1e-12)


@given(histograms)
def test_it_is_symmetric_and_never_negative(drawn: tuple[list[int], list[int]]) -> None:
    one, other = drawn
    there, back = population_stability_index(one, other), population_stability_index(other, one)
    assert there == pytest.approx(back, abs=1e-12)
    assert there >= -1e-12
    assert np.isfinite(there)


@given(histograms, st.floats(0, 1), st.floats(0, 1))
def test_it_grows_with_the_part_that_moved(drawn: tuple[list[int], list[int]], part: float, further: float) -> None:
    one, other = (np.asarray(each, float) + 1 for each in drawn)
    one, other = one / one.sum() * 1e6, other / other.sum() * 1e6
    less, more = sorted((part, further))
    indexes = [population_stability_index(one, (1 - each) * one + each * other) for each in (less, more)]
    assert indexes[0] <= indexes[1] + 1e-9


@given(histograms)
def test_merging_keeps_all_counts_and_leaves_no_thin_bin(drawn: tuple[list[int], list[int]]) -> None:
    one, other = (np.asarray(each, float) for each in drawn)
    assume(one.sum() > 0)
    assume(other.sum() > 0)
    merged = merged_bins(one, other)
    assert (merged[0].sum(), merged[1].sum()) == (one.sum(), other.sum())
    weight = (merged[0] / one.sum() + merged[1] / other.sum()) / 2
    assert (weight >= BIN_SHARE_MIN - 1e-9).all()


@given(histograms)
def test_merging_treats_both_alike(drawn: tuple[list[int], list[int]]) -> None:
    one, other = drawn
    assume(sum(one) > 0)
    assume(sum(other) > 0)
    there, back = merged_bins(one, other), merged_bins(other, one)
    assert there[0].tolist() == back[1].tolist()
    assert there[1].tolist() == back[0].tolist()


def test_two_samples_of_one_distribution_stay_below_the_usual_limit() -> None:
    random = np.random.default_rng(3)
    bins = np.full(10, 0.1)
    drawn = random.multinomial(ENOUGH, bins, size=(4000, 2))
    above = [population_stability_index(one, other) > 0.25 for one, other in drawn]
    assert np.mean(above) < 0.002
