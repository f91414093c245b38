"""How far a z score may stray."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from endcap.experiments.relative_lift import boundary

REPLICATIONS, LOOKS = 4000, 1000


def test_brownian_motion_without_drift_passes_the_bound_no_more_often_than_alpha() -> None:
    random = np.random.default_rng(20_240_101)
    information = np.geomspace(1, 1e5, LOOKS)
    steps = random.normal(size=(REPLICATIONS, LOOKS)) * np.sqrt(np.diff(information, prepend=0))
    z = steps.cumsum(axis=1) / np.sqrt(information)
    for alpha in (0.01, 0.05, 0.2):
        passed = (z < -boundary(information, alpha, 0.1)).any(axis=1).mean()
        assert alpha / 4 < passed <= alpha


@given(alpha=st.floats(1e-6, 0.5), information=st.floats(1e-3, 1e9), effect=st.floats(0.01, 1))
def test_a_smaller_alpha_allows_a_score_to_stray_further(alpha: float, information: float, effect: float) -> None:
    wide, narrow = (float(boundary(np.asarray(information), each, effect)) for each in (alpha / 2, alpha))
    assert wide > narrow > 0


def test_no_information_rules_nothing_out() -> None:
    assert boundary(np.zeros(3), 0.05, 0.1).tolist() == [np.inf] * 3


@given(effect=st.floats(0.02, 0.5))
def test_the_bound_on_an_effect_shrinks_as_information_grows(effect: float) -> None:
    information = np.geomspace(1, 1e8, 200)
    width = boundary(information, 0.05, effect) / np.sqrt(information)
    assert (np.diff(width) < 0).all()
