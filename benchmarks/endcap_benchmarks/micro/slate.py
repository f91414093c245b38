"""Time to put a list together: `python -m endcap_benchmarks.micro.slate` prints p50 and p99 in microseconds.

Wall-clock time shows what a request waits, the thread's own CPU time what the code costs on a machine that others use too.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import typer
from numpy.typing import NDArray

from endcap.cli.output import print_table
from endcap.engine.exploration.evidence import Evidence
from endcap.engine.exploration.policies import ThompsonSampling, request_random
from endcap.engine.exploration.slots import ExploredSlots
from endcap.engine.slate.assembly import assemble
from endcap.engine.slate.diversity import Diversity
from endcap.engine.slate.placements import Cap, MinimumShare, Pin, Placements, Reserve

BRANDS = 30
CATALOGUE = 100_000


@dataclass(frozen=True)
class Shelf:
    """Made candidates: scores, brands, an embedding each, and click evidence of their catalogue."""

    score: NDArray[np.float32]
    brand: NDArray[np.int32]
    embeddings: NDArray[np.float32]
    exploration: ExploredSlots

    @classmethod
    def made(cls, candidates: int, dim: int, seed: int = 0) -> "Shelf":
        random = np.random.default_rng(seed)
        impressions = random.gamma(1, 50, CATALOGUE + 1).astype(np.float32)
        prior = np.full(CATALOGUE + 1, 0.02, np.float32)
        evidence = Evidence(impressions, impressions * np.float32(0.02), prior, 20.0, float(impressions.sum()))
        index = random.choice(CATALOGUE, candidates, replace=False).astype(np.int32) + 1
        return cls(
            score=np.exp(random.normal(-4, 1, candidates)).astype(np.float32),
            brand=random.integers(0, BRANDS, candidates).astype(np.int32),
            embeddings=random.normal(size=(candidates, dim)).astype(np.float32),
            exploration=ExploredSlots(ThompsonSampling(), evidence, index, random),
        )


def cases(shelf: Shelf, k: int) -> Iterator[tuple[str, Callable[[], object]]]:
    """What is timed, by name."""
    diversity = Diversity(0.3, lambda rows: shelf.embeddings[rows])
    caps = (Cap("two a brand", shelf.brand, 2),)
    pinned = Placements(pins=(Pin("pin", 3, np.arange(len(shelf.score)) == 777),), caps=caps)
    all_kinds = replace(
        pinned,
        reserves=(Reserve("reserve", shelf.brand == 3, (2, 5)),),
        shares=(MinimumShare("share", shelf.brand < 3, 0.3),),
    )
    plain = assemble(shelf.score, k, placements=pinned, diversity=diversity)
    score = shelf.score
    yield "order only", lambda: assemble(score, k)
    yield "cap, pin", lambda: assemble(score, k, placements=pinned)
    yield "cap, pin, MMR", lambda: assemble(score, k, placements=pinned, diversity=diversity)
    yield "cap, pin, reserve, share, MMR", lambda: assemble(score, k, placements=all_kinds, diversity=diversity)
    yield "exploration alone", lambda: replace(shelf.exploration, random=request_random("r")).fill(plain, score, pinned)
    yield (
        "cap, pin, MMR, exploration",
        lambda: assemble(score, k, placements=pinned, diversity=diversity, exploration=shelf.exploration),
    )


def timed(call: Callable[[], object], runs: int, clock: Callable[[], int]) -> tuple[float, float]:
    """p50 and p99 of so many calls, in microseconds."""
    for _ in range(runs // 10 + 1):
        call()
    spent = np.empty(runs)
    for run in range(runs):
        started = clock()
        call()
        spent[run] = clock() - started
    p50, p99 = np.percentile(spent / 1_000, [50, 99])
    return round(float(p50)), round(float(p99))


def main(candidates: int = 1_000, dim: int = 64, runs: int = 1_000) -> None:
    """Time assemble for lists of 10 and 20."""
    shelf = Shelf.made(candidates, dim)
    rows = []
    for k in (10, 20):
        for name, call in cases(shelf, k):
            wall, cpu = timed(call, runs, time.perf_counter_ns), timed(call, runs, time.thread_time_ns)
            rows.append({"k": k, "list": name, "p50_us": wall[0], "p99_us": wall[1], "cpu_p50_us": cpu[0], "cpu_p99_us": cpu[1]})
    print_table(f"Slate of {candidates} candidates, {dim} dimensions", rows)


if __name__ == "__main__":
    typer.run(main)
