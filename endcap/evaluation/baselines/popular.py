"""Popular: what everybody bought most in the last weeks, the same list for all."""

import numpy as np
from numpy.typing import NDArray

from endcap.evaluation.purchase_log import PurchaseLog
from endcap.evaluation.ranked_lists import ScoredPairs
from endcap.retrieval.candidates import Candidates

WINDOW_DAYS = 28.0


def popular(log: PurchaseLog, item_count: int, depths: NDArray[np.int64]) -> ScoredPairs:
    """Items by purchases in the last WINDOW_DAYS before the cut.

    Args:
        log: purchases before the cut.
        item_count: items in the catalogue.
        depths: int64 [users], most items to score for each.
    """
    counts = np.bincount(log.everyone[log.everyone_age_days <= WINDOW_DAYS], minlength=item_count + 1).astype(np.float32)
    counts[0] = 0
    bought = np.flatnonzero(counts).astype(np.int32)
    best = Candidates.best(bought, counts[bought], int(depths.max(initial=0)))
    return ScoredPairs.same_for_all(best, depths)
