"""Complements by lift: counted from baskets, since what one person buys over a year says little of what goes together."""

from functools import partial

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.retrieval.co_occurrence import nearest_by
from endcap.retrieval.complements import Complements

SUPPORT_MIN = 5.0
"""Fewer shared baskets are chance."""

SHRINKAGE = 10.0
"""Baskets that chance would have explained, added to what it does explain: damps the lift of rare pairs."""

ITEMS_A_BASKET_MAX = 100
"""A larger basket says little of what goes together, and its pairs grow with the square."""


def complements_of(purchases: pl.DataFrame, item_count: int, neighbours: int = 50) -> Complements:
    """Count pairs in the same basket and keep those with the highest shrunk lift.

    Args:
        purchases: columns session_id, item_index; those that count.
        item_count: items in the catalogue.
        neighbours: kept for each item.
    """
    entries = purchases.select("session_id", "item_index").unique(maintain_order=True)
    entries = entries.filter(pl.len().over("session_id").is_between(2, ITEMS_A_BASKET_MAX))
    baskets = purchases["session_id"].n_unique()
    index, weight = nearest_by(
        entries["session_id"].rank("dense").to_numpy().astype(np.int64) - 1,
        entries["item_index"].to_numpy().astype(np.int32),
        item_count,
        partial(shrunk_lift, baskets=float(baskets)),
        neighbours=neighbours,
    )
    return Complements(index, weight)


def shrunk_lift(
    together: NDArray[np.float32], of_one: float, of_other: NDArray[np.float32], baskets: float, shrinkage: float = SHRINKAGE
) -> NDArray[np.float32]:
    """float32 [m]: baskets with both over those that chance would give, logarithm above 1; 0 below the minimum support.

    Args:
        together: float32 [m], baskets with both.
        of_one: baskets with the one.
        of_other: float32 [m], baskets with each other.
        baskets: all baskets.
        shrinkage: added to both sides.
    """
    expected = of_one * of_other / baskets
    lift = np.log((together + shrinkage) / (expected + shrinkage))
    return np.where(together >= SUPPORT_MIN, np.maximum(lift, 0), 0).astype(np.float32)
