"""Items that are in order already: each once, and with scores by their places."""

import numpy as np
from numpy.typing import NDArray

from endcap.engine.retrieval.candidates import INDEX_BITS, INDEX_MASK, Candidates


def distinct_in_order(index: NDArray[np.int32]) -> NDArray[np.int32]:
    """int32 [distinct]: each of int32 [m] items once, where it stands first."""
    packed = (index.astype(np.int64) << INDEX_BITS) | np.arange(len(index))
    packed.sort()
    is_first = np.ones(len(packed), dtype=bool)
    items = packed >> INDEX_BITS
    np.not_equal(items[1:], items[:-1], out=is_first[1:])
    place = packed[is_first] & INDEX_MASK
    place.sort()
    return index.take(place)


def scored_by_rank(index: NDArray[np.int32]) -> Candidates:
    """Items that are in order already, with scores 1, 1/2, 1/3 and so on."""
    return Candidates(index, np.reciprocal(np.arange(1, len(index) + 1, dtype=np.float32)))
