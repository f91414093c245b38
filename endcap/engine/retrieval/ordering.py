"""Items that are in order already, each once, with scores by their places: an editor's picks, what was viewed last."""

import numpy as np
from numpy.typing import NDArray

from endcap.engine.retrieval.candidates import INDEX_BITS, INDEX_MASK, Candidates
from endcap.engine.retrieval.eligible import Eligible, first_eligible


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


def picks_candidates(picked: NDArray[np.int32], eligible: Eligible, quota: int) -> Candidates:
    """The picked items that may be shown, scored by their place.

    Args:
        picked: int32 [m], distinct items, the first pick first; 0 stands for an id that the catalogue does not know.
        eligible: which items may be shown.
        quota: most candidates to give.
    """
    return first_eligible(scored_by_rank(picked[picked > 0]), eligible, quota)


def recently_viewed_candidates(viewed: NDArray[np.int32], bought: NDArray[np.int32], eligible: Eligible, quota: int) -> Candidates:
    """The session's items, each at its latest look.

    Args:
        viewed: int32 [s], items of the session, newest last; may repeat.
        bought: int32 [b], those bought in it.
        eligible: which items may be shown.
        quota: most candidates to give.
    """
    # What was bought goes first, so that a look at it is not the item's first place, and is cut off again.
    distinct = distinct_in_order(np.concatenate([bought, viewed[::-1]]))[len(distinct_in_order(bought)) :]
    return first_eligible(scored_by_rank(distinct), eligible, quota)
