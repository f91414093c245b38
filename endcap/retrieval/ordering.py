"""Best first, quickly: a score and its item packed into one integer, so that one sort of integers orders by both."""

import numpy as np
from numpy.typing import NDArray

from endcap.retrieval.candidates import Candidates

_INDEX_BITS = 32
_INDEX_MASK = np.int64(2**_INDEX_BITS - 1)
_MAGNITUDE = np.int32(2**31 - 1)


def best_first(index: NDArray[np.int32], score: NDArray[np.float32], quota: int) -> Candidates:
    """The `quota` highest scores, best first, ties by item index: as `Candidates.best`, five times as fast at some thousand items.

    Args:
        index: int32 [m], distinct item indices.
        score: float32 [m], none of them NaN.
        quota: most candidates to give.
    """
    bits = score.view(np.int32)
    # Floats of one sign order as their bits do, negative ones the other way round; inverted, so that the highest comes first.
    ascending = ~(bits ^ ((bits >> np.int32(31)) & _MAGNITUDE))
    packed = (ascending.astype(np.int64) << _INDEX_BITS) | index
    if quota <= 0:
        packed = packed[:0]
    elif len(packed) > quota:
        packed = np.partition(packed, quota - 1)[:quota]
    packed.sort()
    inverted = ~(packed >> _INDEX_BITS).astype(np.int32)
    restored = inverted ^ ((inverted >> np.int32(31)) & _MAGNITUDE)
    return Candidates((packed & _INDEX_MASK).astype(np.int32), restored.view(np.float32))


def distinct_in_order(index: NDArray[np.int32]) -> NDArray[np.int32]:
    """int32 [distinct]: each of int32 [m] items once, where it stands first."""
    packed = (index.astype(np.int64) << _INDEX_BITS) | np.arange(len(index))
    packed.sort()
    is_first = np.ones(len(packed), dtype=bool)
    items = packed >> _INDEX_BITS
    np.not_equal(items[1:], items[:-1], out=is_first[1:])
    place = packed[is_first] & _INDEX_MASK
    place.sort()
    return index.take(place)


def scored_by_rank(index: NDArray[np.int32]) -> Candidates:
    """Items that are in order already, with scores 1, 1/2, 1/3 and so on."""
    return Candidates(index, np.reciprocal(np.arange(1, len(index) + 1, dtype=np.float32)))
