"""A made shop of any number of customers, written a block of customers at a time: a dataset and what training needs of its features."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from endcap.contracts.moment import DAY_S
from endcap.contracts.signals import PURCHASE_CODE
from endcap.features.columns import HISTORY_LENGTH, ITEM_NUMERIC, PAIR_LISTS, USER_AFFINITY, USER_CATEGORICAL, USER_NUMERIC
from endcap.features.manifest import FeatureManifest
from endcap_components.build_training_set.feature_rows import KEYS

START = datetime(2025, 1, 6, tzinfo=UTC)
WEEKS, FIRST_SNAPSHOT_WEEK, CUT_WEEK = 26, 4, 22
BASKET_ITEMS = 3
ITEMS = 2_000
BLOCK_USERS = 2_000


@dataclass(frozen=True)
class MadeUserRows:
    """User features computed from the keys alone, so that a benchmark of joining them needs no feature store."""

    def users(self, keys: pl.DataFrame) -> pl.DataFrame:
        """As `endcap_components.build_training_set.feature_rows.UserRows` says."""
        rng = np.random.default_rng(len(keys))
        names = np.array([item_id(number) for number in range(ITEMS)])
        start = int(START.timestamp())
        history = rng.integers(0, ITEMS, (len(keys), HISTORY_LENGTH))
        return keys.select(KEYS).with_columns(
            *(pl.Series(name, rng.random(len(keys), dtype=np.float32)) for name in USER_NUMERIC),
            *(pl.lit("some").alias(name) for name in USER_CATEGORICAL),
            pl.Series("history_item_ids", names[history].tolist()),
            pl.Series("history_occurred_at", [[start] * HISTORY_LENGTH] * len(keys)),
            pl.Series("history_signals", [[PURCHASE_CODE] * HISTORY_LENGTH] * len(keys)),
            *(pl.lit([], dtype=pl.List(pl.String if name.endswith("ids") else pl.Float32)).alias(name) for name in USER_AFFINITY),
        )

    def pairs(self, keys: pl.DataFrame) -> pl.DataFrame:
        """Nothing was bought before."""
        return keys.select(KEYS).with_columns(
            pl.lit([], dtype=pl.List(pl.String if name.endswith("ids") else pl.Float32)).alias(name) for name in PAIR_LISTS
        )


def item_id(number: int) -> str:
    return f"i{number:05}"


def write_made_shop(folder: Path, users: int) -> None:
    """Write `dataset/` and `features/`: every customer buys BASKET_ITEMS items a week, of a taste of a fiftieth of the catalogue mostly."""
    for name in ("dataset", "features"):
        (folder / name).mkdir(parents=True)
    _items().write_parquet(folder / "dataset" / "items.parquet")
    _write(
        folder / "dataset" / "events.parquet", (_events(start, min(start + BLOCK_USERS, users)) for start in range(0, users, BLOCK_USERS))
    )
    manifest = _manifest()
    moments = sorted({*manifest.snapshot_times, *manifest.pair_times})
    known = (pl.DataFrame({"user_id": _names(0, users)}).with_columns(_at(moment), *_categories()) for moment in moments)
    _write(folder / "features" / "user_features.parquet", known)
    _write(folder / "features" / "item_features.parquet", (_item_features(moment) for moment in moments))
    manifest.write(folder / "features")


def _events(first: int, last: int) -> pl.DataFrame:
    rng = np.random.default_rng(first)
    count = (last - first) * WEEKS * BASKET_ITEMS
    user = np.repeat(np.arange(first, last), WEEKS * BASKET_ITEMS)
    week = np.tile(np.repeat(np.arange(WEEKS), BASKET_ITEMS), last - first)
    strayed = rng.random(count) < 0.2
    item = np.where(strayed, rng.integers(0, ITEMS, count), (user % 50) * (ITEMS // 50) + rng.integers(0, ITEMS // 50, count))
    at = pl.Series("occurred_at", np.int64(START.timestamp()) + week * 7 * DAY_S + rng.integers(0, 6, count) * DAY_S)
    return pl.DataFrame({"number": user, "item": item, "week": week, "at": at}).select(
        pl.format("u{}", "number").alias("user_id"),
        pl.format("i{}", pl.col("item").cast(pl.String).str.zfill(5)).alias("item_id"),
        pl.from_epoch("at").dt.cast_time_unit("us").dt.replace_time_zone("UTC").alias("occurred_at"),
        pl.format("{}-{}", "number", "week").alias("session_id"),
        pl.lit("till").alias("device"),
        pl.lit("purchase").alias("event_type"),
        pl.lit(True).alias("consent"),
    )


def _items() -> pl.DataFrame:
    numbers = range(ITEMS)
    return pl.DataFrame(
        {
            "item_id": [item_id(number) for number in numbers],
            "title": [f"Thing {number}" for number in numbers],
            "category_path": [["Shop", f"Shelf {number // (ITEMS // 50)}"] for number in numbers],
            "brand": [f"Brand {number % 40}" for number in numbers],
            "family_id": pl.Series([None] * ITEMS, dtype=pl.String),
            "price": [1.0 + number % 7 for number in numbers],
            "availability": "in_stock",
            "created_at": START,
        }
    )


def _item_features(moment: datetime) -> pl.DataFrame:
    rng = np.random.default_rng(0)
    numeric = {name: rng.random(ITEMS, dtype=np.float32) for name in ITEM_NUMERIC}
    return pl.DataFrame({"item_id": [item_id(number) for number in range(ITEMS)], **numeric}).with_columns(_at(moment))


def _manifest() -> FeatureManifest:
    weeks = [START + timedelta(days=7 * week) for week in range(WEEKS + 1)]
    windows = (weeks[CUT_WEEK - 4],)
    return FeatureManifest(
        fingerprint="made",
        dataset_fingerprint="made",
        first_event_at=START,
        last_event_at=weeks[-1],
        data_end=weeks[-1],
        cut=weeks[CUT_WEEK],
        ranking_times=windows,
        pair_times=(*windows, weeks[CUT_WEEK], weeks[-1]),
        snapshot_times=tuple(weeks[FIRST_SNAPSHOT_WEEK:CUT_WEEK]),
        rows={},
    )


def _names(first: int, last: int) -> list[str]:
    return [f"u{number}" for number in range(first, last)]


def _categories() -> Iterator[pl.Expr]:
    return (pl.lit("some").alias(name) for name in USER_CATEGORICAL)


def _at(moment: datetime) -> pl.Expr:
    return pl.lit(moment).dt.cast_time_unit("us").alias("event_timestamp")


def _write(path: Path, frames: Iterator[pl.DataFrame]) -> None:
    writer: pq.ParquetWriter | None = None
    for frame in frames:
        table: pa.Table = frame.to_arrow()
        writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table)
    if writer is not None:
        writer.close()
