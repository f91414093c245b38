"""Candidates of one source, and their union with provenance kept."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TRAINED_SOURCES: tuple[str, ...] = ("two_tower", "item_to_item", "buy_again", "popular", "left_in_cart", "ease")
"""Sources whose scores the ranker reads, so they run in training as in serving."""

SOURCES: tuple[str, ...] = (
    *TRAINED_SOURCES,
    "trending",
    "content",
    "complements",
    "recently_viewed",
    "similar_users",
    "preferences",
    "picks",
)
"""All sources by name; columns of `CandidateSet.scores` are in this order."""

FUSION_WEIGHT: Mapping[str, float] = {
    "trending": 0.3,
    "content": 0.3,
    "recently_viewed": 0.5,
    "preferences": 2.0,
    "picks": 0.3,
}
"""What a source's ranks count where the ranker does not decide, 1 for those that are not named. Sources that say little about how well
an item fits lift what others brought too, and no more; stated tastes come before what everybody likes."""

_OWN_REASONS = tuple(SOURCES.index(name) for name in ("recently_viewed", "buy_again", "left_in_cart"))
"""Sources that are an item's main one whenever they bring it, the last above the first."""

INDEX_BITS = 32
INDEX_MASK = np.int64(2**INDEX_BITS - 1)
"""An item index within a sort key whose upper half orders."""
_MAGNITUDE = np.int32(2**31 - 1)

RECIPROCAL_RANK_OFFSET = 60.0
"""Constant of reciprocal rank fusion (Cormack, Clarke and Buettcher, SIGIR 2009)."""


@dataclass(frozen=True)
class Candidates:
    """What one source gives: int32 [m] item indices, distinct, best first, and its float32 [m] scores."""

    index: NDArray[np.int32]
    score: NDArray[np.float32]

    @classmethod
    def none(cls) -> "Candidates":
        return cls(np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.float32))

    @classmethod
    def best(cls, index: NDArray[np.int32], score: NDArray[np.float32], quota: int) -> "Candidates":
        """The `quota` highest scores, best first; ties by item index, so that an answer is repeatable.

        A score and its item are packed into one integer, so that one sort of integers orders by both: five times as fast at some thousand
        items as sorting by two keys.

        Args:
            index: int32 [m], distinct item indices.
            score: [m], none of them NaN; float32 is what they are compared as.
            quota: most candidates to give.
        """
        bits = np.ascontiguousarray(score, dtype=np.float32).view(np.int32)
        # Floats of one sign order as their bits do, negative ones the other way round; inverted, so that the highest comes first.
        ascending = ~(bits ^ ((bits >> np.int32(31)) & _MAGNITUDE))
        packed = (ascending.astype(np.int64) << INDEX_BITS) | index
        if quota <= 0:
            packed = packed[:0]
        elif len(packed) > quota:
            packed = np.partition(packed, quota - 1)[:quota]
        packed.sort()
        inverted = ~(packed >> INDEX_BITS).astype(np.int32)
        restored = inverted ^ ((inverted >> np.int32(31)) & _MAGNITUDE)
        return cls((packed & INDEX_MASK).astype(np.int32), restored.view(np.float32))


@dataclass(frozen=True)
class CandidateSet:
    """The union of all sources for one request.

    Attributes:
        index: int32 [m], distinct item indices, highest fused rank first.
        scores: float32 [m, len(SOURCES)], each source's score, 0 where it did not bring the item.
        brought: bool [m, len(SOURCES)], which sources brought the item.
        fused: float32 [m], reciprocal rank fusion of the sources; the order when the ranker does not answer.
        main_source: int8 [m], place in SOURCES of the source that ranked the item highest; left_in_cart, else buy_again, else
            recently_viewed whenever they brought the item, since what somebody wants anyway needs no other reason.
    """

    index: NDArray[np.int32]
    scores: NDArray[np.float32]
    brought: NDArray[np.bool_]
    fused: NDArray[np.float32]
    main_source: NDArray[np.int8]

    @classmethod
    def unsourced(cls, index: NDArray[np.int32]) -> "CandidateSet":
        """Items that no source brought, all alike."""
        m = len(index)
        return cls(
            index=index,
            scores=np.zeros((m, len(SOURCES)), dtype=np.float32),
            brought=np.zeros((m, len(SOURCES)), dtype=bool),
            fused=np.ones(m, dtype=np.float32),
            main_source=np.full(m, SOURCES.index("popular"), dtype=np.int8),
        )

    def __len__(self) -> int:
        return len(self.index)

    def keep(self, which: NDArray[np.bool_] | NDArray[np.integer]) -> "CandidateSet":
        """The candidates where a bool [m] holds, or those of some rows, in their order."""
        return CandidateSet(self.index[which], self.scores[which], self.brought[which], self.fused[which], self.main_source[which])

    def score_of(self, source: str) -> NDArray[np.float32]:
        return self.scores[:, SOURCES.index(source)]


def union(by_source: Mapping[str, Candidates], candidates_max: int) -> CandidateSet:
    """Merge the sources, keep provenance, and cut to `candidates_max` by reciprocal rank fusion.

    Args:
        by_source: candidates under names of SOURCES; a source that was late is simply not there.
        candidates_max: most candidates to keep.
    """
    present = [name for name in SOURCES if name in by_source and len(by_source[name].index)]
    if not present:
        return CandidateSet.unsourced(np.zeros(0, dtype=np.int32))
    index = np.concatenate([by_source[name].index for name in present])
    score = np.concatenate([by_source[name].score for name in present])
    reciprocal = np.concatenate([_reciprocal_ranks(name, len(by_source[name].index)) for name in present])
    column = np.repeat([SOURCES.index(name) for name in present], [len(by_source[name].index) for name in present])
    by_item = np.argsort(index, kind="stable")
    ordered = index[by_item]
    starts = np.empty(len(ordered), dtype=bool)
    starts[0] = True
    np.not_equal(ordered[1:], ordered[:-1], out=starts[1:])
    first = np.flatnonzero(starts)
    fused: NDArray[np.float32] = np.add.reduceat(reciprocal[by_item], first)
    best_first = np.argsort(-fused, kind="stable")[:candidates_max]
    place = np.full(len(first), -1, dtype=np.int64)
    place[best_first] = np.arange(len(best_first))
    row = np.empty(len(index), dtype=np.int64)
    row[by_item] = place[np.cumsum(starts) - 1]
    if len(first) > len(best_first):
        kept = np.flatnonzero(row >= 0)
        row, score, reciprocal, column = row[kept], score[kept], reciprocal[kept], column[kept]
    return _gathered(ordered[first[best_first]], fused[best_first], row, column, score, reciprocal)


def _gathered(  # noqa: PLR0917 - one table's columns
    index: NDArray[np.int32],
    fused: NDArray[np.float32],
    row: NDArray[np.int64],
    column: NDArray[np.int64],
    score: NDArray[np.float32],
    reciprocal: NDArray[np.float32],
) -> CandidateSet:
    """The union's m rows from what each source said of them; the last four are aligned, an entry a source and item."""
    m, width = len(index), len(SOURCES)
    cell = row * width + column
    scores = np.zeros(m * width, dtype=np.float32)
    scores[cell] = score
    by_cell = np.zeros(m * width, dtype=np.float32)
    by_cell[cell] = reciprocal
    ranks = by_cell.reshape(m, width)
    main = ranks.argmax(axis=1).astype(np.int8)
    for source in _OWN_REASONS:
        main[row[column == source]] = source
    return CandidateSet(index=index, scores=scores.reshape(m, width), brought=ranks > 0, fused=fused, main_source=main)


def _reciprocal_ranks(source: str, count: int) -> NDArray[np.float32]:
    """float32 [count], the source's share of the fusion by place."""
    ranks = np.arange(RECIPROCAL_RANK_OFFSET + 1, RECIPROCAL_RANK_OFFSET + 1 + count, dtype=np.float32)
    return np.float32(FUSION_WEIGHT.get(source, 1.0)) / ranks
