"""Purchases by item index, and the items that enough people bought."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import polars as pl

from endcap.contracts.event import EventType
from endcap.contracts.signals import VISIT_PREFIX
from endcap.core.errors import DataRejected
from endcap.features.net_purchases import standing, taken_off_in
from endcap.training.bounded_duckdb import bounded_duckdb

COLUMNS = ("user_id", "item_index", "occurred_at", "session_id", "device", "taken_off_at")
"""`taken_off_at`: when nothing was left of the purchase, by returns and cancellations; null where something is. Whoever looks from a moment
takes what stands as of it: `endcap.features.net_purchases.standing`."""


def write_purchases(dataset_dir: Path, item_index: pl.DataFrame, out_file: Path, anonymous_file: Path) -> None:
    """Write every purchase with consent of an item of the catalogue, those of known users apart from those of nobody known.

    Sorting spills to disk: memory does not grow with the events.

    Args:
        dataset_dir: a canonical dataset.
        item_index: columns item_id, item_index.
        out_file: of known users, Parquet with COLUMNS, oldest first.
        anonymous_file: of the others, which say what is bought together, and how often; `user_id` is the visit's id behind VISIT_PREFIX.

    Raises:
        DataRejected: the events cannot be read.
    """
    events = dataset_dir / "events.parquet"
    visit = f"chr({ord(VISIT_PREFIX)}) || session_id AS user_id"
    with bounded_duckdb(out_file.parent / "spill") as connection:
        connection.register("item_indices", item_index.to_arrow())
        try:
            connection.register("taken_off", taken_off_in(events).moments.to_arrow())
            for user_id, whose, file in (("user_id", "user_id IS NOT NULL", out_file), (visit, "user_id IS NULL", anonymous_file)):
                bought = connection.read_parquet(str(events)).filter(f"event_type = '{EventType.PURCHASE.value}' AND consent AND {whose}")
                purchases = bought.join(connection.table("item_indices"), "item_id").join(connection.table("taken_off"), "event_id", "left")
                purchases = purchases.project(", ".join((user_id, *COLUMNS[1:])))
                purchases.order("occurred_at, user_id, item_index, session_id").write_parquet(str(file), compression="zstd")
        except (duckdb.Error, pl.exceptions.PolarsError, OSError) as error:
            raise DataRejected(f"cannot be read: {error}", field=str(events), fix="import the dataset again") from error


def divide_by_user(purchases_file: Path, folder: Path, parts: int) -> None:
    """Write purchases into folders `part=0` to `part=<parts - 1>`, every user's into one; the user id alone says which."""
    with bounded_duckdb(purchases_file.parent / "spill") as connection:
        # Each thread keeps rows of every part: what they hold together must fit into memory.
        connection.execute("SET threads = 1")
        connection.execute(f"SET partitioned_write_max_open_files = {max(parts, 1)}")
        purchases = connection.read_parquet(str(purchases_file)).project(f"*, (md5_number_lower(user_id) % {parts})::INTEGER AS part")
        purchases.write_parquet(str(folder), compression="zstd", partition_by=["part"])


def part_of(folder: Path, part: int, schema: pl.Schema) -> pl.DataFrame:
    """One part of `divide_by_user`: the columns of the divided file, by user and time; empty when no user fell into it."""
    files = sorted((folder / f"part={part}").glob("*.parquet"))
    if not files:
        return schema.to_frame()
    rows = pl.read_parquet(files, hive_partitioning=False).select(schema.names())
    return rows.sort("user_id", "occurred_at", "item_index", "session_id", maintain_order=True)


def labels(purchases: pl.LazyFrame, moment: datetime, horizon_days: int) -> pl.DataFrame:
    """What each user bought in `horizon_days` from `moment`, and had not returned by their end.

    Returns:
        Columns event_timestamp (= moment), user_id, item_index, baskets (int32, distinct baskets the item was in).
    """
    until = moment + timedelta(days=horizon_days)
    return (
        purchases.filter(pl.col("occurred_at") >= moment, pl.col("occurred_at") < until, standing(pl.lit(until)))
        .group_by("user_id", "item_index")
        .agg(pl.col("session_id").n_unique().cast(pl.Int32).alias("baskets"))
        .select(pl.lit(moment).dt.cast_time_unit("us").alias("event_timestamp"), "user_id", "item_index", "baskets")
        .sort("user_id", "item_index")
        .collect()
    )


def first_purchases(purchases: pl.DataFrame) -> pl.DataFrame:
    """When each user bought each item for the first time, of the purchases that stand: as of t with since < t <= until.

    Returns:
        Columns user_id, item_index, occurred_at, since, until (null for ever), by user and time. One row a user and item, more where
        purchases of the item were taken off.
    """
    keys = ["user_id", "item_index"]
    ends = purchases.filter(pl.col("taken_off_at").is_not_null()).select(*keys, until="taken_off_at").unique().sort(*keys, "until")
    whole = purchases.join(ends, on=keys, how="anti").group_by(keys).agg(pl.col("occurred_at").min())
    spans = ends.with_columns(begins=pl.col("until").shift(1).over(keys))
    last = ends.group_by(keys).agg(begins=pl.col("until").max()).with_columns(until=pl.lit(None, dtype=ends.schema["until"]))
    spans = pl.concat([spans, last], how="diagonal")
    # Between two take-offs of an item nothing of it is taken off.
    split = (
        purchases.select(*keys, "occurred_at", "taken_off_at")
        .join(spans, on=keys)
        .filter(
            pl.col("taken_off_at").is_null() | pl.col("begins").is_null() | (pl.col("taken_off_at") > pl.col("begins")),
            pl.col("until").is_null() | (pl.col("occurred_at") < pl.col("until")),
        )
    )
    split = split.group_by(*keys, "begins", "until").agg(pl.col("occurred_at").min())
    first = pl.concat([whole, split], how="diagonal").with_columns(since=pl.max_horizontal("occurred_at", "begins"))
    return first.select(*keys, "occurred_at", "since", "until").sort("user_id", "occurred_at", "item_index", "since")


def known_at(moment: pl.Expr) -> pl.Expr:
    """Whether a row of `first_purchases` holds as of a moment."""
    return (pl.col("since") < moment) & (pl.col("until").is_null() | (pl.col("until") >= moment))


class BuyerCounts:
    """Counts each item's buyers before some moments: people, and baskets whose customer is unknown.

    Parts have different users, so counts add up.
    """

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
            index = first_purchases.filter(known_at(pl.lit(moment)))["item_index"].to_numpy()
            self._count[place] += np.bincount(index, minlength=self._count.shape[1])

    def add_visits(self, anonymous_file: Path) -> None:
        """Take in the anonymous file of `write_purchases`: a visit of nobody known counts as a buyer."""
        bought = pl.scan_parquet(anonymous_file)
        for place, moment in enumerate(self._moments):
            visits = bought.filter(pl.col("occurred_at") < moment, standing(pl.lit(moment))).select("user_id", "item_index").unique()
            counted = visits.group_by("item_index").len().collect(engine="streaming")
            self._count[place, counted["item_index"].to_numpy()] += counted["len"].to_numpy()

    def eligible(self, min_buyers: int) -> pl.DataFrame:
        """Columns event_timestamp, item_index (int32): by moment, the items with at least `min_buyers` buyers before it."""
        frames = [
            pl.DataFrame({"item_index": np.flatnonzero(count >= min_buyers).astype(np.int32)}).select(
                pl.lit(moment).dt.cast_time_unit("us").alias("event_timestamp"), "item_index"
            )
            for moment, count in zip(self._moments, self._count, strict=True)
        ]
        return pl.concat(frames)
