"""What the harness reads of a canonical dataset: who bought what, when, and the catalogue."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from endcap.core.errors import DataRejected
from endcap.dataset.layout import Dataset, open_dataset
from endcap.features.net_purchases import purchases_with_taken_off


@dataclass(frozen=True)
class RecordedPurchases:
    """Purchases of known users who consented, and the catalogue.

    Attributes:
        dataset: as it stands on disk.
        items: the canonical items, sorted by item_id.
        purchases: columns user_id, item_id, at (UTC), session_id, unit_price, taken_off_at (when all of it was returned, or null); one row
            an item and visit, oldest first. Rows of the same moment stay in the dataset's order.
    """

    dataset: Dataset
    items: pl.DataFrame
    purchases: pl.DataFrame

    @property
    def knows_times(self) -> bool:
        """Whether the times say more than the order."""
        return self.dataset.knows_times

    @property
    def last_at(self) -> datetime:
        last: datetime = self.purchases["at"][-1]
        return last


def read_recorded_purchases(folder: Path) -> RecordedPurchases:
    """Read a canonical dataset.

    Raises:
        DataRejected: there is no dataset, or nobody known bought anything in it.
    """
    dataset = open_dataset(folder)
    items = pl.read_parquet(dataset.table("items")).sort("item_id")
    purchases = (
        purchases_with_taken_off(dataset.table("events"))
        .filter(pl.col("consent"), pl.col("user_id").is_not_null())
        .select("user_id", "item_id", pl.col("occurred_at").alias("at"), "session_id", "unit_price", _last_taken_off().over(_LINE))
        .join(items.lazy().select("item_id"), on="item_id", how="semi", maintain_order="left")
        .collect()
        .sort("at", maintain_order=True)
        .unique(_LINE, keep="first", maintain_order=True)
    )
    if purchases.is_empty():
        raise DataRejected(
            "no purchases of known users with consent", field=str(folder), fix="import events of the type purchase with a user_id"
        )
    return RecordedPurchases(dataset, items, purchases)


_LINE = ["user_id", "session_id", "item_id"]


def _last_taken_off() -> pl.Expr:
    """When the last of an item's lines in a visit was taken off; null while one stands."""
    moment = pl.col("taken_off_at")
    return pl.when(moment.null_count() == 0).then(moment.max())
