"""Sums over the purchases of one user and one item."""

import numpy as np
from numpy.typing import NDArray

from endcap.evaluation.purchase_log import UserItems, pair_keys
from endcap.evaluation.ranked_lists import ScoredPairs


def summed_by_pair(purchases: UserItems, weight: NDArray[np.floating]) -> ScoredPairs:
    """Every pair once, with its purchases' weights added up.

    Args:
        purchases: p purchases, pairs may repeat.
        weight: [p].
    """
    _, first, place = np.unique(pair_keys(purchases.user_row, purchases.item_index), return_index=True, return_inverse=True)
    pairs = UserItems(purchases.user_row[first], purchases.item_index[first], purchases.users)
    return ScoredPairs(pairs, np.bincount(place, weights=weight, minlength=len(first)).astype(np.float64))
