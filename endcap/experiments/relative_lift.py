"""Is the candidate's rate still possibly as good as the stable version's? An answer that holds however often it is asked.

The effect is the relative lift, candidate / stable - 1, of two proportions. For an assumed ratio r of the two, the z score is the one of
Miettinen and Nurminen (Comparative analysis of two rates, Statistics in Medicine 1985): the difference p_c - r p_s, with its variance at
the most likely pair of proportions that have that ratio. So a candidate without a single click does not look certain. Estimates of a
difference, cumulated, behave as Brownian motion in their information whatever share of the traffic each side gets, as long as the shares
do not depend on the outcomes (Jennison and Turnbull, Group Sequential Methods, 2000, chapter 11), so `normal_mixture.boundary` says how
far the score may stray. The confidence sequence holds the ratios that were not strayed from too far.

Asymptotic in the counts: with few successes the boundary is so wide that nothing is decided.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from endcap.core.errors import InvalidInput
from endcap.experiments.counts import Counts


def boundary(information: NDArray[np.float64], alpha: float, effect: float) -> NDArray[np.float64]:
    """The z score that a process without drift ever passes, on one side, with probability `alpha` at most.

    Args:
        information: float64, any shape, at least 0: 1 / variance of the effect's estimate.
        alpha: between 0 and 1.
        effect: standard deviation of the mixture, in the effect's own unit: the bound is tightest for effects of about this size, and
            holds whatever it is, as long as it is chosen beforehand.
    """
    tuning = effect**-2
    with np.errstate(divide="ignore"):
        spread = 1 + tuning / information
    return np.sqrt(2 * spread * np.log1p(np.sqrt(1 + information / tuning) / (2 * alpha)))


EFFECT = 0.1
"""Relative lifts of about this size are decided soonest."""
RATIO_MIN, RATIO_MAX = 1e-6, 1e4
HALVINGS = 60


def upper_relative_lift(candidate: Counts, stable: Counts, alpha: float) -> NDArray[np.float64]:
    """Upper end of a one-sided confidence sequence for the relative lift.

    With probability 1 - alpha it lies above the true lift at all looks together.

    Args:
        candidate: cumulated since one moment, any shape.
        stable: since the same moment, the same shape.
        alpha: chance that it is ever below the true lift.

    Returns:
        float64 of the same shape, at least -1; infinite while the counts say nothing.

    Raises:
        InvalidInput: alpha is not between 0 and 1.
    """
    if not 0 < alpha < 1:
        raise InvalidInput("must lie between 0 and 1", field="alpha", value=alpha)
    with np.errstate(divide="ignore", invalid="ignore"):
        low = np.clip(np.nan_to_num(candidate.share / stable.share, nan=RATIO_MAX), RATIO_MIN, RATIO_MAX)
    high = np.full_like(low, RATIO_MAX)
    unbounded = ~ruled_out(candidate, stable, high - 1, alpha)
    for _ in range(HALVINGS):
        middle = np.sqrt(low * high)
        out = ruled_out(candidate, stable, middle - 1, alpha)
        low, high = np.where(out, low, middle), np.where(out, middle, high)
    return np.where(unbounded, np.inf, high - 1)


def ruled_out(candidate: Counts, stable: Counts, lift: ArrayLike, alpha: float) -> NDArray[np.bool_]:
    """Whether the candidate is surely below this relative lift.

    Args:
        candidate: cumulated since one moment, any shape.
        stable: since the same moment, the same shape.
        lift: above -1.
        alpha: chance that the true lift is ever ruled out.
    """
    z, information = score(candidate, stable, lift)
    return np.asarray(z < -boundary(information, alpha, EFFECT))


def score(candidate: Counts, stable: Counts, lift: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The z score of a relative lift, below 0 when the candidate is worse than that, and the information about it.

    Information is 1 / variance of the estimated relative lift, so a number of successes, roughly.
    """
    ratio = np.asarray(lift, np.float64) + 1
    rate = _stable_rate(candidate, stable, ratio)
    expected = np.minimum(rate * ratio, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = (1 - expected) / (candidate.trials * expected) + (1 - rate) / (stable.trials * rate)
        away = (candidate.share - ratio * stable.share) / expected
        z = np.nan_to_num(away / np.sqrt(variance), nan=0.0)
        return z, np.nan_to_num(1 / variance, nan=0.0)


def _stable_rate(candidate: Counts, stable: Counts, ratio: NDArray[np.float64]) -> NDArray[np.float64]:
    """The most likely rate of the stable version when the candidate's is `ratio` times as high: a root of a quadratic."""
    square = (candidate.trials + stable.trials) * ratio
    linear = ratio * candidate.trials + candidate.successes + stable.trials + ratio * stable.successes
    constant = candidate.successes + stable.successes
    root = np.sqrt(np.maximum(linear**2 - 4 * square * constant, 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.nan_to_num(2 * constant / (linear + root), nan=0.0)
