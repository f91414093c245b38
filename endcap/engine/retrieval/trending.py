"""Trending: items bought more of late than they usually are, overall and by segment and region."""

import numpy as np
from numpy.typing import NDArray

from endcap.engine.retrieval.candidates import Candidates
from endcap.engine.retrieval.eligible import Eligible
from endcap.engine.retrieval.popular import Popularity, popular_candidates

EVIDENCE_MIN = 5
"""With fewer purchases of late there is no trend, only chance."""

_STABILISER = 0.375


def trending_candidates(table: Popularity, segments: list[str], eligible: Eligible, quota: int) -> Candidates:
    """The strongest trends of the first segment that has a table, mixed with everybody's.

    Args:
        table: laid out as popularity is, scored by `trending_of`.
        segments: names by `endcap.engine.retrieval.popular.segment_name`, the most telling first.
        eligible: which items may be shown.
        quota: most candidates to give.
    """
    return popular_candidates(table, segments, eligible, quota)


def trending_of(
    index: NDArray[np.int32], recent: NDArray[np.float32], expected: NDArray[np.float32], size: int, evidence_min: int = EVIDENCE_MIN
) -> Candidates:
    """Items whose recent count stands out, by how many standard deviations it does, over the highest.

    The square root makes the spread of a Poisson count the same at any height (Anscombe, Biometrika 1948), so that neither a
    best seller's usual ups and downs nor a single purchase of a rare item make a trend.

    Args:
        index: int32 [m], distinct items; from the purchase log or from live counts.
        recent: float32 [m], purchases of late.
        expected: float32 [m], purchases in as long a time at the item's usual rate.
        size: items to keep.
        evidence_min: least recent purchases.
    """
    deviations = 2 * (np.sqrt(recent + _STABILISER) - np.sqrt(expected + _STABILISER))
    kept = (deviations > 0) & (recent >= evidence_min)
    if not kept.any():
        return Candidates.none()
    score = deviations[kept].astype(np.float32)
    return Candidates.best(index[kept], score / score.max(), size)
