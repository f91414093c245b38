"""Items that enough users had bought by some moments, counted a part of the users at a time."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import polars as pl


class BuyerCounts:
    """Counts each item's buyers before some moments. Parts have different users, so counts add up."""

    def __init__(self, moments: Sequence[datetime], item_count: int) -> None:
        """
        Args:
            moments: in any order.
            item_count: n, items of the catalogue.
        """
        self._moments = tuple(moments)
        self._count = np.zeros((len(self._moments), item_count + 1), dtype=np.int64)

    def add(self, first_purchases: pl.DataFrame) -> None:
        """Take in a part's `endcap_components.build_training_set.purchases.first_purchases`."""
        for place, moment in enumerate(self._moments):
            index = first_purchases.filter(pl.col("occurred_at") < moment)["item_index"].to_numpy()
            self._count[place] += np.bincount(index, minlength=self._count.shape[1])

    def eligible(self, min_buyers: int) -> pl.DataFrame:
        """Columns event_timestamp, item_index (int32): by moment, the items with at least `min_buyers` buyers before it."""
        frames = [
            pl.DataFrame({"item_index": np.flatnonzero(count >= min_buyers).astype(np.int32)}).select(
                pl.lit(moment).dt.cast_time_unit("us").alias("event_timestamp"), "item_index"
            )
            for moment, count in zip(self._moments, self._count, strict=True)
        ]
        return pl.concat(frames)
