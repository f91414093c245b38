"""What looking often does to a comparison of two rates: `python -m endcap_benchmarks.micro.sequential` prints four tables.

Made traffic: a look after each batch, 400 looks. "Ever ruled out" counts experiments in which any look ruled the candidate out.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import typer
from numpy.typing import NDArray
from scipy.special import betaln

from endcap.cli.output import print_table
from endcap.experiments.counts import Counts
from endcap.experiments.relative_lift import ruled_out, score

Row = dict[str, Any]


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


ALPHA = 0.05
ONE_LOOK_Z = 1.645
LOOKS = 400
EQUAL = [Traffic(rate, 0, share, round(10 / rate / share)) for rate in (0.3, 0.05, 0.005) for share in (0.5, 0.25, 0.05, 0.01)]
"""Ten successes of the candidate between two looks."""
WORSE = [
    Traffic(0.05, lift, share, size)
    for lift, size in ((-0.3, 500), (-0.2, 1000), (-0.1, 2000), (-0.05, 5000))
    for share in (0.5, 0.25, 0.05)
]
EXACT_TOO = [traffic for traffic in WORSE if traffic.lift <= -0.1 and traffic.candidate_share != 0.25]
DEPENDENT = [replace(Traffic(0.05, 0, 0.5, 400), spread=spread) for spread in (0.0, 0.01, 0.03, 0.1)]


def equal_candidates(replications: int, seed: int) -> list[Row]:
    """How often an equal candidate is ruled out at any look."""
    rows: list[Row] = []
    for traffic in EQUAL:
        candidate, stable = simulated(traffic, LOOKS, replications, seed)
        z, _ = score(candidate, stable, 0.0)
        one_look = z < -ONE_LOOK_Z
        rows.append(
            {
                "rate": traffic.rate,
                "candidate's share": traffic.candidate_share,
                "confidence sequence": ever(ruled_out(candidate, stable, 0.0, ALPHA)),
                "z test at each look": ever(one_look),
                "z test at the last look only": float(one_look[:, -1].mean()),
            }
        )
    return rows


def worse_candidates(replications: int, seed: int) -> list[Row]:
    """How often a loss is found, and after how many impressions of the candidate."""
    rows: list[Row] = []
    for traffic in WORSE:
        candidate, stable = simulated(traffic, LOOKS, replications, seed)
        out = ruled_out(candidate, stable, 0.0, ALPHA)
        rows.append(
            {
                "lift": traffic.lift,
                "candidate's share": traffic.candidate_share,
                "its impressions at most": int(candidate.trials[0, -1]),
                "ever ruled out": ever(out),
                **_median(candidate, out),
            }
        )
    return rows


def exact_a_side(replications: int, seed: int) -> list[Row]:
    """The same losses, by an exact sequence for each side's own rate: ruled out once some rate lies above the one and below the other."""
    rows: list[Row] = []
    for traffic in EXACT_TOO:
        candidate, stable = simulated(traffic, LOOKS, replications, seed)
        out = np.zeros(candidate.trials.shape, np.bool_)
        for rate in np.linspace(0.02, 0.08, 241):
            below = (candidate.share < rate) & (_log_evidence(candidate, rate) >= np.log(2 / ALPHA))
            out |= below & (stable.share > rate) & (_log_evidence(stable, rate) >= np.log(2 / ALPHA))
        rows.append(
            {"lift": traffic.lift, "candidate's share": traffic.candidate_share, "ever ruled out": ever(out), **_median(candidate, out)}
        )
    return rows


def _log_evidence(counts: Counts, rate: float) -> NDArray[np.float64]:
    """Log of the beta-binomial mixture martingale against a rate, its prior at 0.05 with the weight of 100 impressions."""
    failures = counts.trials - counts.successes
    mixed = betaln(5 + counts.successes, 95 + failures) - betaln(5, 95)
    return np.asarray(mixed - counts.successes * np.log(rate) - failures * np.log1p(-rate))


def _median(candidate: Counts, out: NDArray[np.bool_]) -> Row:
    found = out.any(axis=1)
    seen = candidate.trials[0][out.argmax(axis=1)[found]]
    return {"its impressions then, median": int(np.median(seen)) if found.mean() >= 0.5 else "more"}


def dependent_impressions(replications: int, seed: int) -> list[Row]:
    """How often an equal candidate is ruled out when ten impressions in a row are one person's."""
    rows: list[Row] = []
    for traffic in DEPENDENT:
        candidate, stable = simulated(traffic, LOOKS, replications, seed)
        rows.append({"intraclass correlation": traffic.spread, "ever ruled out": ever(ruled_out(candidate, stable, 0.0, ALPHA))})
    return rows


def ever(tripped: NDArray[np.bool_]) -> float:
    """Share of the experiments, bool [replications, looks], in which any look tripped."""
    return float(tripped.any(axis=1).mean())


def main(replications: int = 4000, seed: int = 1) -> None:
    """Print the tables of decision 0008."""
    print_table(f"Equal candidate, alpha {ALPHA}: share of experiments in which it is ever ruled out", equal_candidates(replications, seed))
    print_table(f"Worse candidate, rate 0.05, alpha {ALPHA}", worse_candidates(replications // 4, seed))
    print_table("The same, by an exact sequence for each side", exact_a_side(replications // 10, seed))
    print_table("Equal candidate, rate 0.05, ten impressions a person", dependent_impressions(replications // 4, seed))


if __name__ == "__main__":
    typer.run(main)
