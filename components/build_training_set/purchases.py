"""Purchases as training sees them: who bought which item index, when, in which basket."""

from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from endcap.contracts.event import EventType


def read_purchases(dataset_dir: Path, item_index: pl.DataFrame) -> pl.DataFrame:
    """Every purchase of a known user, with consent, of an item of the catalogue.

    Args:
        dataset_dir: a canonical dataset.
        item_index: columns item_id, item_index.

    Returns:
        Columns user_id, item_index (int32), occurred_at, session_id, device; oldest first.
    """
    return (
        pl.scan_parquet(dataset_dir / "events.parquet")
        .filter(pl.col("event_type") == EventType.PURCHASE.value, pl.col("consent"), pl.col("user_id").is_not_null())
        .select("user_id", "item_id", "occurred_at", "session_id", "device")
        .join(item_index.lazy(), on="item_id", how="inner")
        .drop("item_id")
        .sort("occurred_at", "user_id", "item_index")
        .collect()
    )


def labels(purchases: pl.DataFrame, moment: datetime, horizon_days: int) -> pl.DataFrame:
    """What each user bought in `horizon_days` from `moment`.

    Returns:
        Columns event_timestamp (= moment), user_id, item_index, baskets (int32, distinct baskets the item was in).
    """
    until = moment + timedelta(days=horizon_days)
    return (
        purchases.filter(pl.col("occurred_at") >= moment, pl.col("occurred_at") < until)
        .group_by("user_id", "item_index")
        .agg(pl.col("session_id").n_unique().cast(pl.Int32).alias("baskets"))
        .select(pl.lit(moment).dt.cast_time_unit("us").alias("event_timestamp"), "user_id", "item_index", "baskets")
        .sort("user_id", "item_index")
    )


def eligible_items(purchases: pl.DataFrame, moment: datetime, min_buyers: int) -> pl.DataFrame:
    """Items that at least `min_buyers` users had bought before `moment`.

    Returns:
        Columns event_timestamp (= moment), item_index.
    """
    return (
        purchases.filter(pl.col("occurred_at") < moment)
        .group_by("item_index")
        .agg(pl.col("user_id").n_unique().alias("buyers"))
        .filter(pl.col("buyers") >= min_buyers)
        .select(pl.lit(moment).dt.cast_time_unit("us").alias("event_timestamp"), "item_index")
        .sort("item_index")
    )
