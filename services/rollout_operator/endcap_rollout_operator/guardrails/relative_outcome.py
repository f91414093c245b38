"""An outcome's rate of the candidate against the stable version's, by a test that may be looked at as often as one likes.

Lists since the step began are counted, not those over the window: a test that forgets is none. Within a step both versions see the same
hours at the same shares; across steps they would not. In a step that leaves the stable version no traffic there is nothing to compare:
what was measured last still stands.
"""

import numpy as np

from endcap.contracts.rollout import Guardrail
from endcap.experiments.counts import Counts
from endcap.experiments.relative_lift import ruled_out, upper_relative_lift
from endcap_rollout_operator.guardrails.look import Look, Reading, missing

IMPRESSIONS = "endcap_outcome_impressions_total"


def relative_outcome(look: Look, guardrail: Guardrail, successes: str, *, what: str) -> Reading:
    """The upper end of the confidence sequence for the relative lift.

    Args:
        look: where the counts are read.
        guardrail: its limit and alpha.
        successes: counter of the impressions that had the outcome.
        what: names them for people.

    Raises:
        DependencyUnavailable: Prometheus does not answer.
    """
    if look.elapsed_s <= look.outcome_window_s:
        return missing(f"lists of this step are counted {look.outcome_window_s} s after they were shown; it is {look.elapsed_s} s old")
    if look.stable is None:
        return missing("no stable version to compare with")
    counted = {version: (look.outcome(IMPRESSIONS, version), look.outcome(successes, version)) for version in (look.candidate, look.stable)}
    if counted[look.stable][0] == 0 and counted[look.candidate][0]:
        return Reading(None, "the stable version had no impressions since the step began", stands=True)
    for version, (impressions, had) in counted.items():
        if not impressions:
            return missing(f"no {IMPRESSIONS} of version {version} since the step began")
        if (had or 0.0) > impressions:
            return missing(f"version {version} has more {what} than impressions: one of them is counted wrongly")
    candidate, stable = (Counts.of(impressions or 0.0, had or 0.0) for impressions, had in counted.values())
    return _compared(candidate, stable, guardrail, what)


def _compared(candidate: Counts, stable: Counts, guardrail: Guardrail, what: str) -> Reading:
    """Enough is as many impressions as would have shown a candidate without any success to break the limit."""
    upper = float(upper_relative_lift(candidate, stable, guardrail.alpha))
    counts = " against ".join(
        f"{float(each.successes):,.0f} {what} of {float(each.trials):,.0f} impressions" for each in (candidate, stable)
    )
    rate = float(stable.share)
    none_at_all = Counts.of(candidate.trials, np.zeros_like(candidate.successes))
    if not np.isfinite(upper) or not ruled_out(none_at_all, stable, max(guardrail.limit, -0.99), guardrail.alpha):
        return missing(f"{counts}: too few to tell a candidate with no {what} at all", rate)
    return Reading(upper, f"{counts}; {float(candidate.share):.3%} against {rate:.3%}", rate)
