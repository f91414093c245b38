"""Trials and successes."""

import pytest

from endcap.core.errors import InvalidInput
from endcap.experiments.counts import Counts


def test_share_of_nothing_is_zero() -> None:
    assert Counts.of([0, 4], [0, 1]).share.tolist() == [0, 0.25]


@pytest.mark.parametrize(("trials", "successes"), [(10, 11), (10, -1), (float("nan"), 0), (10, float("inf"))])
def test_counts_that_cannot_be_are_refused(trials: float, successes: float) -> None:
    with pytest.raises(InvalidInput):
        Counts.of(trials, successes)
