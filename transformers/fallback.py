"""The last resort: a list is never empty while the catalogue has an eligible item."""

import numpy as np
from numpy.typing import NDArray

from endcap.retrieval.candidates import SOURCES, CandidateSet
from transformers.eligibility import Eligibility
from transformers.ranking import RankedCandidates
from transformers.resolving import ResolvedRequest

_POPULAR = SOURCES.index("popular")


def filled(ranked: RankedCandidates, request: ResolvedRequest, eligible: Eligibility, k: int) -> RankedCandidates:
    """The best k, topped up where the sources gave fewer: from the popular items, then from all eligible ones by purchases.

    A search's own items keep the search's order. Items that were topped up score below all others.
    """
    best = RankedCandidates(
        candidates=ranked.candidates.keep(np.arange(min(k, len(ranked.candidates)))),
        score=ranked.score[:k],
        probabilities={objective: values[:k] for objective, values in ranked.probabilities.items()},
    )
    missing = k - len(best.candidates)
    if missing <= 0:
        return best
    free = eligible.mask.copy()
    free[best.candidates.index] = False
    return _appended(best, _last_resort(request, free, missing))


def _last_resort(request: ResolvedRequest, free: NDArray[np.bool_], count: int) -> NDArray[np.int32]:
    served = request.served
    popular = served.tables.popularity.candidates([], len(free)).index
    orders = [request.items, popular, served.by_purchases] if request.is_given else [popular, served.by_purchases]
    chosen: list[NDArray[np.int32]] = []
    for index in orders:
        taken = index[free[index]][: count - sum(map(len, chosen))]
        free[taken] = False
        chosen.append(taken)
    return np.concatenate(chosen).astype(np.int32)


def _appended(best: RankedCandidates, index: NDArray[np.int32]) -> RankedCandidates:
    count, known = len(index), best.candidates
    lowest = float(best.score[-1]) if len(best.score) else 1.0
    below = (min(lowest, 1.0) if lowest > 0 else 0.0) * np.linspace(0.999, 0.001, count, dtype=np.float32)
    if lowest <= 0:
        below = np.float32(lowest) - np.linspace(0.001, 0.999, count, dtype=np.float32)
    brought = np.zeros((count, len(SOURCES)), dtype=bool)
    brought[:, _POPULAR] = True
    return RankedCandidates(
        candidates=CandidateSet(
            index=np.concatenate([known.index, index]),
            scores=np.concatenate([known.scores, np.zeros((count, len(SOURCES)), dtype=np.float32)]),
            brought=np.concatenate([known.brought, brought]),
            fused=np.concatenate([known.fused, np.zeros(count, dtype=np.float32)]),
            main_source=np.concatenate([known.main_source, np.full(count, _POPULAR, dtype=np.int8)]),
        ),
        score=np.concatenate([best.score, below]).astype(np.float32),
        probabilities={
            objective: np.concatenate([values, np.full(count, np.nan, np.float32)]) for objective, values in best.probabilities.items()
        },
    )
