"""Complements by lift: counted from baskets, since what one person buys over a year says little of what goes together."""

from functools import partial

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.algorithms.co_occurrence import nearest_by
from endcap.engine.retrieval.complements import Complements

SUPPORT_MIN = 3.0
"""Fewer shared baskets are chance."""

ITEMS_A_BASKET_MAX = 100
"""A larger basket says little of what goes together, and its pairs grow with the square."""


def complements_of(purchases: pl.DataFrame, item_count: int, neighbours: int = 50) -> Complements:
    """Count pairs in the same basket and keep for every item those with the highest supported lift.

    Args:
        purchases: columns session_id, item_index; those that count, and what was put into the cart where that is known.
        item_count: items in the catalogue.
        neighbours: kept for each item.
    """
    baskets = purchases["session_id"].n_unique()
    entries = purchases.select("session_id", "item_index").unique(maintain_order=True)
    entries = entries.filter(pl.len().over("session_id").is_between(2, ITEMS_A_BASKET_MAX))
    index, weight = nearest_by(
        entries["session_id"].rank("dense").to_numpy().astype(np.int64) - 1,
        entries["item_index"].to_numpy().astype(np.int32),
        item_count,
        partial(supported_lift, baskets=float(baskets)),
        neighbours=neighbours,
    )
    return Complements(index, weight)


def supported_lift(together: NDArray[np.float32], of_one: float, of_other: NDArray[np.float32], *, baskets: float) -> NDArray[np.float32]:
    """Logarithm of the lift times the squared logarithm of the support, 0 where chance would give as many baskets.

    Lift alone prefers the rarest pairs, counts alone put bananas beside everything. In Complete Journey's later baskets this finds a
    quarter more than counts do of what is not a staple, with a third of the staples in its lists.

    Args:
        together: float32 [m], baskets with both.
        of_one: baskets with the one.
        of_other: float32 [m], baskets with each other.
        baskets: all baskets.

    Returns:
        float32 [m].
    """
    lift = together * np.float32(baskets) / np.maximum(of_one * of_other, 1).astype(np.float32)
    counts = (together >= SUPPORT_MIN) & (lift > 1)
    return np.where(counts, np.log(np.maximum(lift, 1)) * np.log1p(together) ** 2, 0).astype(np.float32)
