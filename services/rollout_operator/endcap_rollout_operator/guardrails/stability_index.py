"""Population stability index: how far two distributions over the same bins lie apart.

The sum over bins of (p - q) ln(p / q), in credit scoring since Lewis, An Introduction to Credit Scoring, 1992 and Siddiqi, Credit Risk
Scorecards, 2006; the same as Jeffreys' divergence, Kullback and Leibler, On Information and Sufficiency, 1951. By custom below 0.1 nothing
has changed, above 0.25 a lot has. Two samples of the same distribution have an index of about (bins - 1) (1 / n + 1 / m) (Yurdakul,
Statistical Properties of Population Stability Index, 2018), which is why thin bins are merged and small samples are not judged.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

SMOOTHING = 0.5
"""Added to every bin, so that an empty one does not make the index infinite."""
BIN_SHARE_MIN = 0.1
"""A bin holds at least this share of both distributions' mean: ten bins at most, as is the custom."""


def population_stability_index(one: ArrayLike, other: ArrayLike) -> float:
    """The index of two samples, at least 0, the same in either order.

    Args:
        one: counts by bin, at least 0.
        other: counts by the same bins.
    """
    first, second = np.asarray(one, np.float64) + SMOOTHING, np.asarray(other, np.float64) + SMOOTHING
    first, second = first / first.sum(), second / second.sum()
    return float(((first - second) * np.log(first / second)).sum())


def merged_bins(one: ArrayLike, other: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Neighbouring bins put together until each holds enough of the two distributions' mean.

    Args:
        one: counts by bin; not all 0.
        other: counts by the same bins; not all 0.
    """
    first, second = np.asarray(one, np.float64), np.asarray(other, np.float64)
    weight = (first / first.sum() + second / second.sum()) / 2
    starts, held = [0], 0.0
    for place, share in enumerate(weight):
        if held >= BIN_SHARE_MIN and weight[place:].sum() >= BIN_SHARE_MIN:
            starts.append(place)
            held = 0.0
        held += share
    return np.add.reduceat(first, starts), np.add.reduceat(second, starts)
