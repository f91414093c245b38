"""How long people wait before they buy an item again."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.contracts.moment import DAY_S

GAPS_MIN = 5
"""With fewer gaps the item's own mean says little."""


def repurchase_gap_days(purchases: pl.DataFrame, item_count: int) -> NDArray[np.float32]:
    """float32 [item_count + 1]: mean days between two baskets of one user with the item, 0 for items that too few bought again.

    Args:
        purchases: columns user_id, item_index, session_id, occurred_at; those that count.
        item_count: items in the catalogue.
    """
    baskets = purchases.group_by("user_id", "item_index", "session_id").agg(pl.col("occurred_at").min())
    waits = (
        baskets.group_by("user_id", "item_index")
        .agg((pl.col("occurred_at").max() - pl.col("occurred_at").min()).alias("span"), (pl.len() - 1).alias("gaps"))
        .filter(pl.col("gaps") > 0)
        .group_by("item_index")
        .agg(pl.col("span").dt.total_seconds().sum() / DAY_S, pl.col("gaps").sum())
        .filter(pl.col("gaps") >= GAPS_MIN)
    )
    gap = np.zeros(item_count + 1, dtype=np.float32)
    gap[waits["item_index"].to_numpy()] = (waits["span"] / waits["gaps"]).to_numpy()
    return gap
