"""Feature rows as of given moments: of users through the feature store's point-in-time join, of items out of the feature folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import polars as pl

from endcap.core.errors import DataRejected
from endcap.core.settings import load_settings
from endcap.features.columns import ITEM_NUMERIC, PAIR_LISTS, USER_AFFINITY, USER_CATEGORICAL, USER_HISTORY, USER_NUMERIC
from endcap.features.manifest import read_manifest

if TYPE_CHECKING:
    from feast import FeatureStore

KEYS = ("user_id", "event_timestamp")
KEYS_AT_ONCE = 25_000
"""Users x moments whose rows are read together: rows carry long lists."""
ROWS_A_GROUP = 1024
"""Rows of a row group of the Parquet file: whoever reads one moment decodes little of the others."""
USER_COLUMNS = (*KEYS, *USER_NUMERIC, *USER_CATEGORICAL, *USER_HISTORY, *USER_AFFINITY)


class UserRows(Protocol):
    """Where user features come from; each method takes columns user_id, event_timestamp, and leaves out users it does not know."""

    def users(self, keys: pl.DataFrame) -> pl.DataFrame:
        """USER_COLUMNS as of each moment."""

    def pairs(self, keys: pl.DataFrame) -> pl.DataFrame:
        """user_id, event_timestamp and PAIR_LISTS as of each moment."""


@dataclass(frozen=True)
class StoreRows:
    """Rows by Feast's point-in-time join; of no keys the feature folder, which names the columns, gives the empty table."""

    store: "FeatureStore"
    features_dir: Path

    def users(self, keys: pl.DataFrame) -> pl.DataFrame:
        from endcap.features.store.training import users_at

        if keys.is_empty():
            return FolderRows(self.features_dir).users(keys)
        rows = users_at(self.store, keys["user_id"].to_list(), keys["event_timestamp"])
        return rows.filter(pl.col("history_item_ids").is_not_null()).select(USER_COLUMNS)

    def pairs(self, keys: pl.DataFrame) -> pl.DataFrame:
        from endcap.features.store.training import pairs_at

        if keys.is_empty():
            return FolderRows(self.features_dir).pairs(keys)
        rows = pairs_at(self.store, keys["user_id"].to_list(), keys["event_timestamp"])
        return rows.filter(pl.col("pair_item_ids").is_not_null()).select(*KEYS, *PAIR_LISTS)


@dataclass(frozen=True)
class FolderRows:
    """Rows out of a feature folder, for snapshot moments; needs no feature store."""

    features_dir: Path

    def users(self, keys: pl.DataFrame) -> pl.DataFrame:
        return self._matching("user_features.parquet", USER_COLUMNS, keys)

    def pairs(self, keys: pl.DataFrame) -> pl.DataFrame:
        return self._matching("user_item_features.parquet", (*KEYS, *PAIR_LISTS), keys)

    def _matching(self, name: str, columns: Sequence[str], keys: pl.DataFrame) -> pl.DataFrame:
        table = pl.scan_parquet(self.features_dir / name).select(columns)
        wanted = keys.with_columns(pl.col("event_timestamp").cast(table.collect_schema()["event_timestamp"]))
        # The range lets the reader skip what was written for other moments.
        within = pl.col("event_timestamp").is_between(wanted["event_timestamp"].min(), wanted["event_timestamp"].max())
        return table.filter(within).join(wanted.lazy(), on=list(KEYS), how="semi").collect(engine="streaming")


def published_rows(features_dir: Path, published: str) -> StoreRows:
    """Rows of the feature store, which must hold just these features.

    Args:
        features_dir: the feature folder of this run.
        published: fingerprint of what was published.

    Raises:
        DataRejected: other features were published since.
    """
    from endcap.features.store.open import open_store

    if read_manifest(features_dir).fingerprint != published:
        raise DataRejected("other features are published", field="published", value=published, fix="publish these: endcap features")
    return StoreRows(open_store(load_settings()), features_dir)


def known_users(features_dir: Path, moments: Sequence[datetime]) -> pl.DataFrame:
    """user_id and event_timestamp of every user with features at each of the moments."""
    return (
        pl.scan_parquet(features_dir / "user_features.parquet")
        .select(KEYS)
        .filter(pl.col("event_timestamp").is_in(list(moments)))
        .sort("event_timestamp", "user_id")
        .collect()
    )


def write_full_user_rows(rows: UserRows, keys: pl.DataFrame, out_file: Path) -> None:
    """Write everything known of each user at each moment: the user columns and the user x item lists, in the order of `keys`."""
    import pyarrow.parquet as pq

    writer: pq.ParquetWriter | None = None
    try:
        for start in range(0, max(1, len(keys)), KEYS_AT_ONCE):
            wanted = keys.slice(start, KEYS_AT_ONCE)
            known = rows.users(wanted).join(rows.pairs(wanted), on=list(KEYS), how="left").sort("event_timestamp", "user_id")
            table = known.to_arrow()
            writer = writer or pq.ParquetWriter(out_file, table.schema, compression="zstd")
            writer.write_table(table.cast(writer.schema), row_group_size=ROWS_A_GROUP)
    finally:
        if writer is not None:
            writer.close()


def item_rows(features_dir: Path, moments: Sequence[datetime]) -> pl.DataFrame:
    """ITEM_NUMERIC of every item sold before each moment."""
    return (
        pl.scan_parquet(features_dir / "item_features.parquet")
        .select("item_id", "event_timestamp", *ITEM_NUMERIC)
        .filter(pl.col("event_timestamp").is_in(list(moments)))
        .collect()
    )
