"""The gate accepts the first bundle, and refuses a later one only when it is worse beyond the tolerance and beyond chance."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from endcap.contracts.evaluation import Evaluation, Figure, Ordering
from endcap.evaluation.gate import USERS_MIN, Comparison, GateLimits, Uncompared, decide
from tests.endcap.conftest import made_evaluation

LIMITS = GateLimits()
FIGURES = st.floats(-1, 1, allow_subnormal=False)
GAINS = st.floats(-0.5, 0, allow_subnormal=False)


def compared(difference: float, half: float, users: int = 2000) -> Comparison:
    figure = Figure(mean=difference, low=difference - half, high=difference + half)
    return Comparison(7, users, 0.4 + difference, 0.4, figure)


def of_people(count: int, mean: float, spread: float, seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(mean, spread, count)


def test_the_first_bundle_is_accepted_whatever_orders_its_lists(make_evaluation: Callable[..., Evaluation]) -> None:
    by_method = Ordering(ordered_by="own_decayed", reason="ordered by own_decayed in place of the ranker")
    decision = decide(make_evaluation(ndcg=0.2, baseline=0.40, recall_new=0.0, ordering=by_method), None, LIMITS)
    assert decision.accepted
    assert "no champion yet" in decision.reason and "in place of the ranker" in decision.reason


@given(ndcg=st.floats(allow_nan=True), min_gain=st.floats(-1, 1))
def test_without_a_champion_nothing_is_ever_refused(ndcg: float, min_gain: float) -> None:
    assert decide(made_evaluation(ndcg=ndcg), None, GateLimits(min_gain)).accepted


def test_worse_inside_the_noise_of_few_people_is_accepted() -> None:
    ours, theirs = of_people(152, 0.228, 0.18, seed=1), of_people(152, 0.242, 0.21, seed=2)
    found = Comparison.of(7, ours, theirs, seed=3)
    assert found.difference.mean < LIMITS.min_gain and found.difference.low < 0 < found.difference.high
    decision = decide(made_evaluation(), found, LIMITS)
    assert decision.accepted
    assert "inside the noise" in decision.reason and "the same 152 users" in decision.reason


def test_worse_beyond_chance_and_beyond_the_tolerance_is_refused_with_figures() -> None:
    theirs = of_people(2000, 0.43, 0.1)
    refused = decide(made_evaluation(), Comparison.of(7, theirs - 0.01, theirs, seed=3, note="with its own tables"), LIMITS)
    assert not refused.accepted
    assert "of the champion, bundle 7, -0.0100 [-0.0100, -0.0100]" in refused.reason
    assert "at least -0.0050 is required (with its own tables)" in refused.reason


def test_worse_beyond_chance_but_within_the_tolerance_of_a_retraining_is_accepted() -> None:
    theirs = of_people(2000, 0.43, 0.1)
    assert decide(made_evaluation(), Comparison.of(7, theirs - 0.004, theirs, seed=3), LIMITS).accepted


@given(mean=FIGURES, low=FIGURES, high=FIGURES, min_gain=GAINS, users=st.integers(0, 100_000))
def test_nothing_is_ever_refused_inside_the_noise(mean: float, low: float, high: float, min_gain: float, users: int) -> None:
    low, mean, high = sorted((low, mean, high))
    decision = decide(made_evaluation(), Comparison(7, users, 0.4, 0.4, Figure(mean=mean, low=low, high=high)), GateLimits(min_gain))
    if low <= 0 <= high or mean >= min_gain:
        assert decision.accepted
    assert decision.accepted == (not (users >= USERS_MIN and mean < min_gain and high < 0))


@given(values=st.lists(st.floats(0, 1), min_size=1, max_size=60), shift=st.floats(0, 1), min_gain=GAINS)
def test_a_bundle_that_is_nobodys_loss_is_accepted(values: list[float], shift: float, min_gain: float) -> None:
    theirs = np.array(values)
    assert decide(made_evaluation(), Comparison.of(7, theirs + shift, theirs, seed=1), GateLimits(min_gain)).accepted


@pytest.mark.parametrize(("difference", "half", "accepted"), [(0.02, 0.005, True), (0.008, 0.005, True), (0.001, 0.005, False)])
def test_a_gain_that_is_asked_for_must_not_be_ruled_out(difference: float, half: float, accepted: bool) -> None:
    assert decide(made_evaluation(), compared(difference, half), GateLimits(min_gain=0.01)).accepted == accepted


def test_a_handful_of_people_decides_nothing() -> None:
    few = compared(-0.4, 0.1, users=USERS_MIN - 1)
    decision = decide(made_evaluation(), few, LIMITS)
    assert decision.accepted and "fewer than 6 users decide nothing" in decision.reason
    nobody = Comparison.of(7, np.zeros(0), np.zeros(0), seed=1)
    assert decide(made_evaluation(), nobody, LIMITS).accepted


def test_a_bundle_is_as_good_as_itself() -> None:
    same = Comparison.with_itself(7, made_evaluation())
    assert decide(made_evaluation(), same, LIMITS).accepted
    assert not decide(made_evaluation(), same, GateLimits(min_gain=0.9)).accepted


def test_a_champion_that_cannot_be_read_refuses_and_names_the_way_out() -> None:
    decision = decide(made_evaluation(), Uncompared(7, "the file is missing"), LIMITS)
    assert not decision.accepted
    assert "bundle 7" in decision.uncompared and "the file is missing" in decision.reason
    assert "endcap pipeline run --accept-uncompared" in decision.reason


def test_an_uncompared_bundle_passes_when_somebody_accepts_it_and_says_so() -> None:
    decision = decide(made_evaluation(), Uncompared(7, "the file is missing"), GateLimits(accept_uncompared=True))
    assert decision.accepted
    assert "NOT COMPARED" in decision.reason and "the file is missing" in decision.uncompared


def test_accepting_uncompared_bundles_lets_no_worse_one_pass() -> None:
    decision = decide(made_evaluation(), compared(-0.02, 0.005), GateLimits(accept_uncompared=True))
    assert not decision.accepted and decision.uncompared == ""
