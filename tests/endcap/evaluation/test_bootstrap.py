"""Intervals are repeatable, paired, and about as wide as theory says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.evaluation.bootstrap import Resamples
from tests.properties import examples


def test_the_same_seed_gives_the_same_interval() -> None:
    values = np.random.default_rng(0).random((200, 2))
    assert Resamples(200, seed=3).means(values) == Resamples(200, seed=3).means(values)
    assert Resamples(200, seed=3).means(values) != Resamples(200, seed=4).means(values)


def test_the_interval_is_as_wide_as_the_normal_one() -> None:
    values = np.random.default_rng(1).normal(size=(1000, 1))
    (interval,) = Resamples(1000, seed=0, count=4000).means(values)
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * values.std() / np.sqrt(1000), rel=0.08)


def test_each_resample_draws_as_many_users_as_there_are() -> None:
    blocks = list(Resamples(37, seed=0, count=11).blocks())
    assert sum(len(block) for block in blocks) == 11
    assert all((block.sum(axis=1) == 37).all() for block in blocks)


def test_a_constant_difference_has_no_width() -> None:
    ours = np.random.default_rng(2).random((300, 1))
    (interval,) = Resamples(300, seed=0).means(ours - (ours - 0.05))
    assert (interval.low, interval.mean, interval.high) == pytest.approx((0.05, 0.05, 0.05))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50), st.integers(0, 100))
@examples(30)
def test_intervals_stay_within_the_values(values: list[float], seed: int) -> None:
    (interval,) = Resamples(len(values), seed, count=200).means(np.array(values)[:, None])
    assert min(values) - 1e-9 <= interval.low <= interval.high <= max(values) + 1e-9
