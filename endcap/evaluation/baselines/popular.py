"""Popular: what everybody bought most in the last weeks, the same list for all."""

import numpy as np

from endcap.evaluation.purchase_log import PurchaseLog
from endcap.evaluation.ranked_lists import ScoredPairs
from endcap.retrieval.candidates import Candidates

WINDOW_DAYS = 28.0


def popular(log: PurchaseLog, item_count: int, depth: int) -> ScoredPairs:
    """Items by purchases in the last WINDOW_DAYS before the cut.

    Args:
        log: purchases before the cut.
        item_count: items in the catalogue.
        depth: most items to score.
    """
    counts = np.bincount(log.everyone[log.everyone_age_days <= WINDOW_DAYS], minlength=item_count + 1).astype(np.float32)
    counts[0] = 0
    bought = np.flatnonzero(counts).astype(np.int32)
    return ScoredPairs.same_for_all(Candidates.best(bought, counts[bought], depth), log.pairs.users)
