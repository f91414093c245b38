"""Feature rows as of given moments, out of the feature folder."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import polars as pl

from endcap.features.columns import ITEM_NUMERIC, PAIR_LISTS, USER_AFFINITY, USER_CATEGORICAL, USER_HISTORY, USER_NUMERIC

KEYS = ("user_id", "event_timestamp")


def user_rows(features_dir: Path, keys: pl.DataFrame) -> pl.DataFrame:
    """The user features of each user and moment that has them.

    Args:
        features_dir: a feature folder.
        keys: columns user_id, event_timestamp; snapshot moments.
    """
    columns = [*KEYS, *USER_NUMERIC, *USER_CATEGORICAL, *USER_HISTORY]
    return _matching(pl.scan_parquet(features_dir / "user_features.parquet").select(columns), keys).collect()


def full_user_rows(features_dir: Path, moments: Sequence[datetime]) -> pl.DataFrame:
    """Everything known of every user as of each moment: the user columns and the user x item lists, by moment and user."""
    users = pl.scan_parquet(features_dir / "user_features.parquet").select(
        *KEYS, *USER_NUMERIC, *USER_CATEGORICAL, *USER_HISTORY, *USER_AFFINITY
    )
    pairs = pl.scan_parquet(features_dir / "user_item_features.parquet").select(*KEYS, *PAIR_LISTS)
    at = pl.col("event_timestamp").is_in(list(moments))
    return users.filter(at).join(pairs.filter(at), on=list(KEYS), how="left").sort("event_timestamp", "user_id").collect()


def item_rows(features_dir: Path, moments: Sequence[datetime]) -> pl.DataFrame:
    """ITEM_NUMERIC of every item sold before each moment."""
    return (
        pl.scan_parquet(features_dir / "item_features.parquet")
        .select("item_id", "event_timestamp", *ITEM_NUMERIC)
        .filter(pl.col("event_timestamp").is_in(list(moments)))
        .collect()
    )


def _matching(table: pl.LazyFrame, keys: pl.DataFrame) -> pl.LazyFrame:
    stamp = table.collect_schema()["event_timestamp"]
    return table.join(keys.lazy().with_columns(pl.col("event_timestamp").cast(stamp)), on=list(KEYS), how="semi")
