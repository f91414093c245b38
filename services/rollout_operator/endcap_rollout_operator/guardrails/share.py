"""A share of a version's requests, and when it rests on enough of them."""

from math import comb

from endcap_rollout_operator.guardrails.look import Reading, missing

ENOUGH = 100
"""Requests from which on a share is a share: below, one bad request weighs more than 1 %, the usual limit."""
CERTAIN = 0.001
"""Below `ENOUGH` a share breaks its limit only if so many would come by chance less often than this, at a true share equal to the limit."""


def share_reading(bad: float | None, total: float | None, limit: float, *, what: str, stable: float | None = None) -> Reading:
    """The reading of a share.

    Args:
        bad: requests of the kind that is counted; None counts as 0, as its counter starts with the first.
        total: all requests; None or 0: the share is missing.
        limit: what it will be held against.
        what: names both numbers for people, for example "requests failed".
        stable: the stable version's share.
    """
    if not total:
        return missing("no requests of the candidate in the window", stable)
    count = bad or 0.0
    message = f"{count:,.0f} of {total:,.0f} {what}"
    if total >= ENOUGH:
        return Reading(count / total, message, stable)
    return Reading(
        count / total,
        f"{message}; {ENOUGH} are needed, lengthen the window if they do not come",
        stable,
        enough=False,
        certain=at_least_by_chance(round(count), round(total), limit) < CERTAIN,
    )


def share_of(bad: float | None, total: float | None) -> float | None:
    """A share, or None without requests."""
    return (bad or 0.0) / total if total else None


def at_least_by_chance(bad: int, total: int, share: float) -> float:
    """Chance of so many bad requests or more when each is bad with probability `share`: the binomial distribution's tail."""
    probability = min(max(share, 0.0), 1.0)
    tail = range(max(bad, 0), total + 1)
    return sum(comb(total, each) * probability**each * (1 - probability) ** (total - each) for each in tail)
