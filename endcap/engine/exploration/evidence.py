"""What clicks say about each item, and what is believed of items without any."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.catalogue.item_table import ItemTable
from endcap.core.errors import DataRejected
from endcap.core.parquet_file import read_parquet_checked
from endcap.engine.exploration.policy import Arms

EVIDENCE_SCHEMA = pl.Schema(
    {"item_id": pl.String(), "impressions": pl.Float64(), "clicks": pl.Float64(), "as_of": pl.Datetime("us", "UTC")}
)
"""Columns of the file, one row an item."""

EVIDENCE_FILE = "click_evidence.parquet"
"""In the live folder."""

_FIX = "count it again: endcap evidence"

BASE_RATE = 0.02
"""Click rate that is believed before any evidence."""


@dataclass(frozen=True)
class Evidence:
    """Click evidence by item index.

    Attributes:
        impressions: float32 [n + 1], discounted impressions, each weighted by the chance that it was looked at.
        clicks: float32 [n + 1], discounted clicks.
        prior: float32 [n + 1], click rate that is believed of an item before its own evidence, in (0, 1).
        prior_strength: impressions that the prior counts as.
        total: discounted impressions of all items.
    """

    impressions: NDArray[np.float32]
    clicks: NDArray[np.float32]
    prior: NDArray[np.float32]
    prior_strength: float
    total: float

    @classmethod
    def of(cls, items: ItemTable, counted: pl.DataFrame | None = None, prior_strength: float = 20.0) -> "Evidence":
        """Put counts in the order of a catalogue and make the priors.

        Args:
            items: the catalogue; items it does not know are left out.
            counted: rows with `item_id`, `impressions`, `clicks`; None for no evidence at all.
            prior_strength: impressions that a prior counts as, over 0.
        """
        impressions, clicks = (np.zeros(len(items), dtype=np.float32) for _ in range(2))
        if counted is not None and len(counted):
            index = items.ids.codes(counted["item_id"].to_list())
            impressions[index] = counted["impressions"].to_numpy()
            clicks[index] = counted["clicks"].to_numpy()
            impressions[0] = clicks[0] = 0
        prior = shrunk_rates(impressions, clicks, items.leaf_code, items.brand_code, prior_strength)
        return cls(impressions, clicks, prior, prior_strength, float(impressions.sum(dtype=np.float64)))

    @classmethod
    def read(cls, path: Path, items: ItemTable, prior_strength: float = 20.0) -> "Evidence":
        """Read `click_evidence.parquet`; a missing file is no evidence.

        Raises:
            DataRejected: the file is not readable or lacks a column.
        """
        columns = ["item_id", "impressions", "clicks"]
        try:
            found = read_parquet_checked(path, columns=columns, fix=_FIX)
        except FileNotFoundError:
            return cls.of(items, prior_strength=prior_strength)
        try:
            counted = found.cast({name: EVIDENCE_SCHEMA[name] for name in columns})
        except pl.exceptions.PolarsError as error:
            raise DataRejected(f"a column is of another type ({str(error).splitlines()[0]})", field=str(path), fix=_FIX) from error
        sound = pl.col("impressions").is_finite() & (pl.col("impressions") >= 0) & pl.col("clicks").is_finite() & (pl.col("clicks") >= 0)
        return cls.of(items, counted.filter(sound & pl.col("item_id").is_not_null()), prior_strength)

    def arms(self, index: NDArray[np.int32]) -> Arms:
        """The posterior of int32 [p] item indices.

        A click weighs one and an impression far down less than one, so an item may have more clicks than impressions; its misses are then
        those of the prior.
        """
        clicks, prior = self.clicks[index], self.prior[index] * np.float32(self.prior_strength)
        missed = np.maximum(self.impressions[index] - clicks, 0)
        return Arms(prior + clicks, np.float32(self.prior_strength) - prior + missed, self.total)


def shrunk_rates(
    impressions: NDArray[np.float32],
    clicks: NDArray[np.float32],
    category: NDArray[np.int32],
    brand: NDArray[np.int32],
    strength: float,
) -> NDArray[np.float32]:
    """Click rate of each item's brand within its category, shrunk to the category's, which is shrunk to the overall one (empirical Bayes).

    Args:
        impressions, clicks: float32 [n + 1].
        category, brand: int32 [n + 1] codes.
        strength: impressions that the wider group's rate counts as in the narrower one's.
    """
    bounded = np.minimum(clicks, impressions).astype(np.float64)
    overall = (bounded.sum() + strength * BASE_RATE) / (impressions.sum(dtype=np.float64) + strength)
    category_rate = _rate(impressions, bounded, category, strength, np.float64(overall))[category]
    _, pair = np.unique(category.astype(np.int64) * (int(brand.max(initial=0)) + 1) + brand, return_inverse=True)
    pair_impressions = np.bincount(pair, weights=impressions)[pair]
    pair_clicks = np.bincount(pair, weights=bounded)[pair]
    rates = (pair_clicks + strength * category_rate) / (pair_impressions + strength)
    return np.clip(rates, 1e-4, 1 - 1e-4).astype(np.float32)


def _rate(
    impressions: NDArray[np.float32], clicks: NDArray[np.float64], group: NDArray[np.int32], strength: float, wider: np.float64
) -> NDArray[np.float64]:
    shown, clicked = np.bincount(group, weights=impressions), np.bincount(group, weights=clicks)
    rate: NDArray[np.float64] = (clicked + strength * wider) / (shown + strength)
    return rate
