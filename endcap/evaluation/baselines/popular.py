"""Popular: what everybody bought most in the last weeks, the same list for all."""

import numpy as np
from numpy.typing import NDArray

from endcap.algorithms.popularity import PopularityScores, RecentPopular
from endcap.engine.retrieval.candidates import Candidates
from endcap.evaluation.purchase_log import PurchaseLog
from endcap.evaluation.ranked_lists import ScoredPairs


def popular(log: PurchaseLog, item_count: int, depths: NDArray[np.int64]) -> ScoredPairs:
    """Items by purchases in the last days (28) before the cut.

    Args:
        log: purchases before the cut.
        item_count: items in the catalogue.
        depths: int64 [users], most items to score for each.
    """
    counts = PopularityScores.of(log.everyone[log.everyone_age_days <= RecentPopular().days], item_count).bought
    bought = np.flatnonzero(counts).astype(np.int32)
    best = Candidates.best(bought, counts[bought], int(depths.max(initial=0)))
    return ScoredPairs.same_for_all(best, depths)
