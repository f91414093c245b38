"""latencyP99: the time in seconds within which 99 of 100 lists were answered."""

from collections.abc import Mapping
from math import inf

from endcap.contracts.rollout import Guardrail
from endcap_rollout_operator.guardrails.look import Look, Reading, missing
from endcap_rollout_operator.guardrails.share import CERTAIN, ENOUGH, at_least_by_chance

SECONDS = "endcap_list_seconds"
QUANTILE = 0.99


def latency_p99(look: Look, guardrail: Guardrail) -> Reading:
    """The 99th percentile over the window, of all surfaces together."""
    stable = None if look.stable is None else quantile(look.buckets(SECONDS, look.stable), QUANTILE)
    return _reading(look.buckets(SECONDS, look.candidate), guardrail.limit, None if stable == inf else stable)


def quantile(buckets: Mapping[float, float], share: float) -> float | None:
    """A quantile, straight lines within buckets as PromQL's histogram_quantile; infinite above the highest bound, None without data.

    Args:
        buckets: counts by upper bound, rising and cumulated; the last bound is infinite.
        share: 0 to 1.
    """
    total = max(buckets.values(), default=0.0)
    if total <= 0:
        return None
    wanted, below, low = share * total, 0.0, 0.0
    for bound, count in buckets.items():
        if count >= wanted:
            return inf if bound == inf else low + (bound - low) * (wanted - below) / max(count - below, 1e-12)
        below, low = count, bound
    return inf


def _reading(buckets: Mapping[float, float], limit: float, stable: float | None) -> Reading:
    value = quantile(buckets, QUANTILE)
    if value is None:
        return missing("no lists of the candidate in the window", stable)
    total = max(buckets.values())
    if value == inf:
        highest = max(bound for bound in buckets if bound < inf)
        if limit >= highest:
            return missing(f"above {highest:g} s, the highest bucket: a limit of {limit:g} s cannot be held against it", stable)
        value = highest
    message = f"{total:,.0f} lists"
    if total >= ENOUGH:
        return Reading(value, message, stable)
    surely_slow = total - min((count for bound, count in buckets.items() if bound >= limit), default=total)
    certain = at_least_by_chance(round(surely_slow), round(total), 1 - QUANTILE) < CERTAIN
    return Reading(value, f"{message}; {ENOUGH} are needed, lengthen the window if they do not come", stable, enough=False, certain=certain)
