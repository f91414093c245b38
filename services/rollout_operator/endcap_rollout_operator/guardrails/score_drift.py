"""scoreDrift: the population stability index of the scores at the top of the candidate's lists against the stable version's.

Over the same window, as traffic changes over the day. Where the stable version answers hardly anything any more, as in the last step, its
scores over the window before the step stand in.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from endcap.contracts.rollout import Guardrail
from endcap_rollout_operator.guardrails.look import Look
from endcap_rollout_operator.guardrails.reading import Reading, missing
from endcap_rollout_operator.guardrails.stability_index import merged_bins, population_stability_index

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


def _lists(buckets: Mapping[float, float]) -> float:
    return max(buckets.values(), default=0.0)


def _by_bin(buckets: Mapping[float, float], bounds: list[float]) -> NDArray[np.float64]:
    """Counts by bin; buckets extrapolated each for itself may fall by a hair where they should rise."""
    cumulated = np.maximum.accumulate([buckets[bound] for bound in bounds])
    return np.diff(cumulated, prepend=0.0)
