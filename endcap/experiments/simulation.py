"""Made experiments, to see what a test does when it is looked at again and again."""

from dataclasses import dataclass

import numpy as np

from endcap.experiments.counts import Counts


@dataclass(frozen=True, slots=True)
class Traffic:
    """What comes in between two looks.

    Attributes:
        rate: success rate of the stable version.
        lift: relative lift of the candidate.
        candidate_share: share of the impressions that the candidate gets.
        impressions_per_look: of both versions together.
        spread: 0 for impressions that are independent of each other; else each block of `block` impressions is one person's, whose own rate
            is drawn from a beta distribution with this intraclass correlation.
        block: impressions a person.
    """

    rate: float
    lift: float
    candidate_share: float
    impressions_per_look: int
    spread: float = 0.0
    block: int = 10


def simulated(traffic: Traffic, looks: int, replications: int, seed: int) -> tuple[Counts, Counts]:
    """Counts of candidate and stable version, cumulated.

    Returns:
        two counts of shape [replications, looks].
    """
    random = np.random.default_rng(seed)
    of_candidate = max(1, round(traffic.impressions_per_look * traffic.candidate_share))
    of_stable = max(1, traffic.impressions_per_look - of_candidate)
    return (
        _cumulated(random, of_candidate, traffic.rate * (1 + traffic.lift), traffic, (replications, looks)),
        _cumulated(random, of_stable, traffic.rate, traffic, (replications, looks)),
    )


def _cumulated(random: np.random.Generator, impressions: int, rate: float, traffic: Traffic, shape: tuple[int, int]) -> Counts:
    if traffic.spread > 0:
        people = max(1, impressions // traffic.block)
        weight = 1 / traffic.spread - 1
        rates = random.beta(rate * weight, (1 - rate) * weight, size=(*shape, people))
        impressions = people * traffic.block
        successes = random.binomial(traffic.block, rates).sum(axis=2)
    else:
        successes = random.binomial(impressions, rate, size=shape)
    trials = np.broadcast_to(np.arange(1, shape[1] + 1, dtype=np.float64) * impressions, shape)
    return Counts(trials, successes.cumsum(axis=1).astype(np.float64))
