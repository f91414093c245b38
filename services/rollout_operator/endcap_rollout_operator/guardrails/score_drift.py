"""scoreDrift: the population stability index of the scores at the top of the candidate's lists against the stable version's.

Over the same window, as traffic changes over the day. Where the stable version answers hardly anything any more, as in the last step, its
scores over the window before the step stand in.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from endcap.contracts.rollout import Guardrail
from endcap_rollout_operator.guardrails.look import Look, Reading, missing

SMOOTHING = 0.5
"""Added to every bin, so that an empty one does not make the index infinite."""
BIN_SHARE_MIN = 0.1
"""A bin holds at least this share of both distributions' mean: ten bins at most, as is the custom."""
SCORES = "endcap_top_score"
ENOUGH = 250
"""Lists of each version: two samples of one distribution over ten bins then stay below 0.25 in all but one of a thousand looks."""


def score_drift(look: Look, guardrail: Guardrail) -> Reading:  # noqa: ARG001 - every guardrail is measured by the same call
    """The index over the window."""
    if look.stable is None:
        return missing("no stable version to compare with")
    candidate, stable, when = look.buckets(SCORES, look.candidate), look.buckets(SCORES, look.stable), ""
    if _lists(candidate) < ENOUGH:
        return missing(f"{_lists(candidate):,.0f} lists of the candidate in the window; {ENOUGH} are needed")
    if _lists(stable) < ENOUGH:
        stable, when = look.buckets(SCORES, look.stable, before_step=True), " before the step"
    if _lists(stable) < ENOUGH:
        return missing(f"{_lists(stable):,.0f} lists of the stable version in the window; {ENOUGH} are needed")
    bounds = sorted(candidate.keys() & stable.keys())
    if len(bounds) < 2:
        return missing("the two versions' score buckets have no bounds in common")
    index = population_stability_index(*merged_bins(_by_bin(candidate, bounds), _by_bin(stable, bounds)))
    return Reading(index, f"{_lists(candidate):,.0f} lists against {_lists(stable):,.0f}{when}")


def population_stability_index(one: ArrayLike, other: ArrayLike) -> float:
    """The index of two samples, at least 0, the same in either order.

    The sum over bins of (p - q) ln(p / q), in credit scoring since Lewis, An Introduction to Credit Scoring, 1992 and Siddiqi, Credit Risk
    Scorecards, 2006; the same as Jeffreys' divergence, Kullback and Leibler, On Information and Sufficiency, 1951. By custom below 0.1
    nothing has changed, above 0.25 a lot has. Two samples of the same distribution have an index of about (bins - 1) (1 / n + 1 / m)
    (Yurdakul, Statistical Properties of Population Stability Index, 2018), which is why thin bins are merged and small samples refused.

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


def _lists(buckets: Mapping[float, float]) -> float:
    return max(buckets.values(), default=0.0)


def _by_bin(buckets: Mapping[float, float], bounds: list[float]) -> NDArray[np.float64]:
    """Counts by bin; buckets extrapolated each for itself may fall by a hair where they should rise."""
    cumulated = np.maximum.accumulate([buckets[bound] for bound in bounds])
    return np.diff(cumulated, prepend=0.0)
