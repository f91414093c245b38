"""Retrieval examples: a user at a snapshot, and everything the user bought in the days after it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.catalogue.vocabulary import Vocabulary
from endcap.contracts.moment import DAY_S
from endcap.features.columns import DEVICES, HISTORY_LENGTH, USER_CATEGORICAL, USER_NUMERIC
from endcap.features.net_purchases import standing
from endcap.training.retrieval_examples import BOUGHT_MAX, RetrievalExamples
from endcap_components.build_training_set.feature_rows import UserRows
from endcap_components.build_training_set.purchases import known_at


def targets_of(purchases: pl.DataFrame, first: pl.DataFrame, snapshots: Sequence[datetime], target_days: int) -> pl.DataFrame:
    """For each user and snapshot, the distinct items bought in `target_days` from it and not returned by their end.

    Args:
        purchases: some users', as `endcap_components.build_training_set.purchases.part_of` gives them.
        first: their `first_purchases`.
        snapshots: moments, in order.
        target_days: length of the target window.

    Returns:
        Columns event_timestamp, user_id, item_index, is_new, bought_at (first time in the window), device; by snapshot, user and item.
    """
    windows = [_window(purchases, first, moment, target_days) for moment in snapshots]
    return pl.concat(windows).sort("event_timestamp", "user_id", "item_index")


def _window(purchases: pl.DataFrame, first: pl.DataFrame, moment: datetime, target_days: int) -> pl.DataFrame:
    until = moment + timedelta(days=target_days)
    known = first.filter(known_at(pl.lit(moment))).select("user_id", "item_index", is_new=False)
    return (
        purchases.filter(pl.col("occurred_at") >= moment, pl.col("occurred_at") < until, standing(pl.lit(until)))
        .group_by("user_id", "item_index")
        .agg(pl.col("occurred_at").min().alias("bought_at"), pl.col("device").first())
        .join(known, on=["user_id", "item_index"], how="left")
        .with_columns(pl.lit(moment).dt.cast_time_unit("us").alias("event_timestamp"), pl.col("is_new").fill_null(True))
    )


def retrieval_examples(
    first: pl.DataFrame,
    targets: pl.DataFrame,
    *,
    snapshots: Sequence[datetime],
    user_rows: UserRows,
    item_index: pl.DataFrame,
    vocabularies: dict[str, Vocabulary],
) -> list[RetrievalExamples]:
    """Examples of some users: at each snapshot those that have targets and a feature row, by user.

    Args:
        first: the users' `endcap_components.build_training_set.purchases.first_purchases`.
        targets: as `targets_of` gives them.
        snapshots: moments in order.
        user_rows: reads the user features point in time.
        item_index: columns item_id, item_index.
        vocabularies: by USER_CATEGORICAL column.

    Returns:
        The examples of each snapshot.
    """
    keys = targets.group_by("event_timestamp", "user_id").agg(
        pl.col("bought_at").min(), pl.col("device").sort_by("bought_at", "item_index").first()
    )
    rows = keys.join(user_rows.users(keys.select("user_id", "event_timestamp")), on=["user_id", "event_timestamp"])
    rows = rows.sort("event_timestamp", "user_id").with_row_index("example")
    targets = targets.join(rows.select("event_timestamp", "user_id", "example"), on=["event_timestamp", "user_id"])
    targets = targets.sort("example", "item_index")
    history, age = _histories(rows, item_index)
    bought_start, bought_index = _bought_before(first, rows)
    examples = RetrievalExamples(
        history=history,
        history_age_days=age,
        user_numeric=rows.select(pl.col(USER_NUMERIC).fill_null(0.0)).to_numpy().astype(np.float32),
        user_categories=np.stack([vocabularies[name].codes(rows[name].to_list()) for name in USER_CATEGORICAL], axis=1),
        context=_contexts(rows),
        target_start=_starts(np.bincount(targets["example"].to_numpy(), minlength=len(rows))),
        target_index=targets["item_index"].to_numpy().astype(np.int32),
        target_is_new=targets["is_new"].to_numpy(),
        bought_start=bought_start,
        bought_index=bought_index,
    )
    return [examples.take(np.flatnonzero((rows["event_timestamp"] == moment).to_numpy())) for moment in snapshots]


def _bought_before(first: pl.DataFrame, rows: pl.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Starts of the examples' lists and their items, in the order of their first purchase: the newest BOUGHT_MAX."""
    known = (
        rows.select("example", "user_id", "event_timestamp")
        .join(first, on="user_id")
        .filter(known_at(pl.col("event_timestamp")))
        .select("example", "occurred_at", "item_index")
        .sort("example", "occurred_at", "item_index")
        .filter(pl.int_range(pl.len(), dtype=pl.Int32).reverse().over("example") < BOUGHT_MAX)
    )
    counts = np.bincount(known["example"].to_numpy(), minlength=len(rows))
    return _starts(counts), known["item_index"].to_numpy().astype(np.int32)


def _starts(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def _histories(rows: pl.DataFrame, item_index: pl.DataFrame) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """int32 and float32 [e, HISTORY_LENGTH]; ages count to the first purchase of the targets, as a request's would."""
    flat = (
        rows.select("example", "bought_at", item_id="history_item_ids", at="history_occurred_at")
        .explode("item_id", "at")
        .join(item_index, on="item_id", how="inner", maintain_order="left")
        .with_columns(from_end=pl.int_range(pl.len(), dtype=pl.Int32).reverse().over("example"))
        .filter(pl.col("from_end") < HISTORY_LENGTH)
    )
    row = flat["example"].to_numpy()
    column = HISTORY_LENGTH - 1 - flat["from_end"].to_numpy()
    history = np.zeros((len(rows), HISTORY_LENGTH), dtype=np.int32)
    history[row, column] = flat["item_index"].to_numpy()
    age = np.zeros((len(rows), HISTORY_LENGTH), dtype=np.float32)
    age[row, column] = (flat["bought_at"].dt.epoch("s").to_numpy() - flat["at"].to_numpy()) / DAY_S
    return history, age


def _contexts(rows: pl.DataFrame) -> NDArray[np.int32]:
    at = rows["bought_at"]
    devices = Vocabulary(DEVICES[1:])
    return np.stack(
        [
            at.dt.hour().to_numpy(),
            at.dt.weekday().to_numpy() - 1,
            at.dt.month().to_numpy(),
            np.zeros(len(rows)),
            devices.codes(rows["device"].to_list()),
        ],
        axis=1,
    ).astype(np.int32)
