"""How tight a category cap may be: a list is to be mixed from what fits, never from what is left when that has run out."""

from bisect import bisect_left

import numpy as np
from numpy.typing import NDArray

from endcap.engine.slate.window import top_rows

WORTH_KEPT = 0.9
"""Share of the worth of a list, the sum of its scores, that a category cap has to leave: variety may cost a tenth of it."""
PLACE_KEPT = 0.25
"""Share of the score at each place that it has to leave, best to last, so that what moves up for variety is not beside the point."""


def affordable_most(score: NDArray[np.float32], group: NDArray[np.int32], most: int, places: int) -> int:
    """The least number of items of one category, `most` or more, that leaves the best list WORTH_KEPT, and PLACE_KEPT at each place.

    Two categories and ten places that may have four of each become five of each. Where all that fits is of one category, and the others
    have next to no score, the cap does not hold.

    Args:
        score: float32 [m], finite; below 0 counts as 0.
        group: int32 [m], category code a candidate, negative where the cap does not concern it.
        most: as it is configured.
        places: length of the list.
    """
    listed = group if len(score) <= places else group[score.argpartition(-places)[-places:]] if places else group[:0]
    listed = listed[listed >= 0]
    listed.sort()
    # In order, a group has more than so many when the one so many places on is of it too; of most lists no group has.
    if len(listed) <= most or True not in (listed[most:] == listed[:-most]):
        return most
    order = top_rows(score, len(score))
    worth = np.maximum(score[order], 0).astype(np.float64)
    before = _same_before(group[order])
    best = worth[:places]

    def is_enough(cap: int) -> bool:
        left = np.zeros(len(best))
        capped = worth[before < cap][:places]
        left[: len(capped)] = capped
        return float(left.sum()) >= WORTH_KEPT * float(best.sum()) and bool((left >= PLACE_KEPT * best).all())

    return most + bisect_left(range(most, places), True, key=is_enough)


def _same_before(group: NDArray[np.int32]) -> NDArray[np.int64]:
    """int64 [m]: how many of the same group stand before each; 0 for negative groups, which are none."""
    order = np.argsort(group, kind="stable")
    ordered = group[order]
    start = np.flatnonzero(np.diff(ordered, prepend=ordered[:1] - 1))
    before = np.empty(len(group), dtype=np.int64)
    before[order] = np.arange(len(group)) - np.repeat(start, np.diff(start, append=len(group)))
    before[group < 0] = 0
    return before
