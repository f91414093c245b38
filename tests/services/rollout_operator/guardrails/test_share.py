"""When a share rests on enough requests."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from endcap_rollout_operator.guardrails.share import CERTAIN, ENOUGH, at_least_by_chance, share_of, share_reading


@given(total=st.integers(0, ENOUGH), bad=st.integers(0, ENOUGH), share=st.floats(0, 1))
def test_the_tail_is_the_binomial_distributions(total: int, bad: int, share: float) -> None:
    assert at_least_by_chance(bad, total, share) == pytest.approx(binom.sf(bad - 1, total, share), abs=1e-9)


@given(bad=st.integers(0, 1000), total=st.integers(ENOUGH, 1000))
def test_enough_requests_make_a_share(bad: int, total: int) -> None:
    reading = share_reading(min(bad, total), total, 0.01, what="requests failed")
    assert reading.enough
    assert reading.value == min(bad, total) / total


@given(bad=st.integers(0, 99), total=st.integers(1, ENOUGH - 1), limit=st.floats(0, 0.5))
def test_few_requests_are_certain_only_when_chance_is_ruled_out(bad: int, total: int, limit: float) -> None:
    bad = min(bad, total)
    reading = share_reading(bad, total, limit, what="requests failed")
    assert not reading.enough
    assert reading.certain == (at_least_by_chance(bad, total, limit) < CERTAIN)
    if reading.certain:
        assert bad / total > limit


def test_a_single_bad_request_is_certain_where_none_is_allowed() -> None:
    assert share_reading(1.0, 3.0, 0, what="lists empty").certain
    assert not share_reading(0.0, 3.0, 0, what="lists empty").certain


def test_candidates_at_the_limit_are_seldom_thrown_out_for_a_few_requests() -> None:
    random = np.random.default_rng(5)
    failed = random.random((4000, ENOUGH - 1)) < 0.01
    counts = failed.cumsum(axis=1)
    certain = {
        (total, bad): share_reading(bad, total, 0.01, what="").certain for total in range(1, ENOUGH) for bad in range(int(counts.max()) + 1)
    }
    thrown_out = [any(certain[total, bad] for total, bad in enumerate(row, 1)) for row in counts.tolist()]
    assert np.mean(thrown_out) < 0.01, "although it is looked at after each request"


@pytest.mark.parametrize("total", [None, 0.0])
def test_no_requests_are_no_share(total: float | None) -> None:
    assert share_reading(None, total, 0.01, what="lists empty").value is None
    assert share_of(None, total) is None


def test_a_counter_that_has_not_begun_counts_as_none() -> None:
    assert share_reading(None, 1000.0, 0.01, what="lists degraded").value == 0
    assert share_of(None, 1000.0) == 0
