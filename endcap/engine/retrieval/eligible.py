"""What may be shown, as a question about a few items: no source looks at the whole catalogue to answer one request."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from endcap.engine.retrieval.candidates import Candidates

Eligible = Callable[[NDArray[np.int32]], NDArray[np.bool_]]
"""Says of int32 [m] item indices, in a bool [m], which may be shown."""

_FIRST_BLOCK = 256


def first_eligible(candidates: Candidates, eligible: Eligible, quota: int) -> Candidates:
    """The best `quota` of the candidates that may be shown; long lists are asked about only as far as they are needed."""
    place = first_eligible_places(candidates.index, eligible, quota)
    return Candidates(candidates.index[place], candidates.score[place])


def first_eligible_places(index: NDArray[np.int32], eligible: Eligible, quota: int) -> NDArray[np.int64]:
    """int64 [at most quota]: places in `index` (int32 [m]) of the first items that may be shown."""
    places: list[NDArray[np.int64]] = []
    found, start, block = 0, 0, max(_FIRST_BLOCK, 2 * quota)
    while start < len(index) and found < quota:
        place = np.flatnonzero(eligible(index[start : start + block]))[: quota - found] + start
        places.append(place)
        found += len(place)
        start += block
        block *= 2
    if len(places) == 1:
        return places[0]
    return np.concatenate(places) if places else np.zeros(0, dtype=np.int64)
