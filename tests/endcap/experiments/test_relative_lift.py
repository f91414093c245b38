"""Comparing two rates as often as one likes."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from endcap.core.errors import InvalidInput
from endcap.experiments.counts import Counts
from endcap.experiments.relative_lift import ruled_out, score, upper_relative_lift
from endcap_benchmarks.micro.sequential import Traffic, simulated
from tests.properties import examples

ALPHA = 0.05
REPLICATIONS, LOOKS = 2000, 400
FIXED_SAMPLE_Z = 1.645
"""One-sided, at 5 %, for a single look."""


def ever(tripped: np.ndarray) -> float:
    return float(tripped.any(axis=1).mean())


def three_errors(alpha: float) -> float:
    """Three standard errors of a share of `REPLICATIONS`."""
    return 3 * float(np.sqrt(alpha * (1 - alpha) / REPLICATIONS))


@pytest.mark.parametrize("rate", [0.3, 0.05, 0.005])
@pytest.mark.parametrize("candidate_share", [0.5, 0.25, 0.05, 0.01])
def test_an_equal_candidate_is_hardly_ever_ruled_out_at_any_look(rate: float, candidate_share: float) -> None:
    ten_successes_of_the_candidate = round(10 / rate / candidate_share)
    traffic = Traffic(rate, lift=0, candidate_share=candidate_share, impressions_per_look=ten_successes_of_the_candidate)
    candidate, stable = simulated(traffic, LOOKS, REPLICATIONS, seed=7)
    for alpha in (0.01, ALPHA):
        assert ever(ruled_out(candidate, stable, 0.0, alpha)) <= alpha + three_errors(alpha)


def test_a_test_made_for_one_look_rules_an_equal_candidate_out_much_too_often() -> None:
    candidate, stable = simulated(Traffic(0.05, lift=0, candidate_share=0.5, impressions_per_look=400), LOOKS, REPLICATIONS, seed=7)
    z, _ = score(candidate, stable, 0.0)
    at_the_end = float((z[:, -1] < -FIXED_SAMPLE_Z).mean())
    assert abs(at_the_end - ALPHA) <= three_errors(ALPHA)
    assert ever(z < -FIXED_SAMPLE_Z) > 5 * ALPHA


def test_shares_that_change_on_the_way_keep_alpha() -> None:
    parts = [
        simulated(Traffic(0.05, 0, share, 400), LOOKS // 4, REPLICATIONS, seed=place) for place, share in enumerate((0.01, 0.1, 0.5, 0.9))
    ]
    sides = []
    for side in (0, 1):
        trials, successes = np.zeros((REPLICATIONS, 1)), np.zeros((REPLICATIONS, 1))
        for part in parts:
            trials = np.concatenate([trials, trials[:, -1:] + part[side].trials], axis=1)
            successes = np.concatenate([successes, successes[:, -1:] + part[side].successes], axis=1)
        sides.append(Counts(trials[:, 1:], successes[:, 1:]))
    assert ever(ruled_out(sides[0], sides[1], 0.0, ALPHA)) <= ALPHA + three_errors(ALPHA)


@pytest.mark.parametrize(("lift", "candidate_share"), [(-0.1, 0.5), (-0.2, 0.25), (-0.3, 0.05), (-1.0, 0.01)])
def test_a_real_loss_is_found(lift: float, candidate_share: float) -> None:
    candidate, stable = simulated(Traffic(0.05, lift, candidate_share, 2000), 200, 500, seed=7)
    assert ever(ruled_out(candidate, stable, 0.0, ALPHA)) > 0.95


def test_the_upper_end_covers_the_true_lift_at_all_looks_together() -> None:
    candidate, stable = simulated(Traffic(0.1, lift=-0.15, candidate_share=0.3, impressions_per_look=1000), 100, 400, seed=7)
    upper = upper_relative_lift(candidate, stable, ALPHA)
    assert (upper < -0.15).any(axis=1).mean() <= ALPHA + 3 * np.sqrt(ALPHA * (1 - ALPHA) / 400)
    assert np.median(upper[:, -1]) < 0, "it closes in"


counts = st.tuples(st.integers(1, 10**6), st.integers(1, 10**6), st.floats(0, 1), st.floats(0.0001, 1))


def made(drawn: tuple[int, int, float, float]) -> tuple[Counts, Counts]:
    of_candidate, of_stable, candidate_share, stable_share = drawn
    return Counts.of(of_candidate, int(of_candidate * candidate_share)), Counts.of(of_stable, int(of_stable * stable_share))


@given(drawn=counts, alpha=st.floats(1e-4, 0.4))
def test_what_lies_above_the_upper_end_is_ruled_out_and_what_lies_below_is_not(drawn: tuple[int, int, float, float], alpha: float) -> None:
    candidate, stable = made(drawn)
    upper = float(upper_relative_lift(candidate, stable, alpha))
    assume(np.isfinite(upper))
    above = (upper + 1) * np.geomspace(1.0001, 100, 50) - 1
    assert bool(ruled_out(candidate, stable, float(above[0]), alpha))
    estimate = max(float(candidate.share / stable.share), 1e-6)
    for ratio in np.geomspace(estimate, (upper + 1) * 0.9999, 20):
        assert not ruled_out(candidate, stable, ratio - 1, alpha)


@given(drawn=counts, alpha=st.floats(1e-4, 0.2))
def test_the_upper_end_lies_above_what_was_seen_and_falls_with_alpha(drawn: tuple[int, int, float, float], alpha: float) -> None:
    candidate, stable = made(drawn)
    sure, less_sure = (float(upper_relative_lift(candidate, stable, each)) for each in (alpha, 2 * alpha))
    assert less_sure <= sure
    if stable.successes > 0:
        assert sure >= float(candidate.share / stable.share) - 1


@given(drawn=counts, more=st.integers(1, 1000))
def test_more_clicks_on_the_candidate_raise_the_upper_end(drawn: tuple[int, int, float, float], more: int) -> None:
    candidate, stable = made(drawn)
    assume(float(candidate.successes) + more <= float(candidate.trials))
    better = Counts.of(candidate.trials, candidate.successes + more)
    assert float(upper_relative_lift(better, stable, ALPHA)) >= float(upper_relative_lift(candidate, stable, ALPHA)) - 1e-9


@examples(50)
@given(share=st.floats(0.01, 0.9), times=st.integers(2, 50), trials=st.integers(1000, 100_000))
def test_more_of_the_same_brings_the_upper_end_closer(share: float, times: int, trials: int) -> None:
    successes = int(trials * share)
    few, many = (
        float(upper_relative_lift(Counts.of(trials * each, successes * each), Counts.of(trials * each, successes * each), ALPHA))
        for each in (1, times)
    )
    assert many <= few


@pytest.mark.parametrize(
    ("candidate", "stable"), [((0, 0), (0, 0)), ((0, 0), (1000, 50)), ((1000, 50), (0, 0)), ((10, 0), (10, 0)), ((5, 5), (5, 5))]
)
def test_nothing_is_said_of_next_to_nothing(candidate: tuple[int, int], stable: tuple[int, int]) -> None:
    assert upper_relative_lift(Counts.of(*candidate), Counts.of(*stable), ALPHA) == np.inf


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.1])
def test_alpha_is_a_probability(alpha: float) -> None:
    with pytest.raises(InvalidInput, match="alpha"):
        upper_relative_lift(Counts.of(10, 1), Counts.of(10, 1), alpha)
