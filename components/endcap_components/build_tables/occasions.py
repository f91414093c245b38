"""What tables count where there are more than purchases: each type of event once an item and visit, by its weight."""

from collections.abc import Collection
from datetime import datetime, timedelta

import polars as pl

from endcap.features.net_purchases import standing
from endcap.training.training_set import TrainingSet


def occasions(training: TrainingSet, start: datetime, end: datetime, codes: Collection[int] | None = None) -> pl.DataFrame:
    """What people and visits did from `start` on and what of it still stands at `end`.

    Args:
        training: a training set.
        start: where to begin.
        end: where to look from.
        codes: of the types of `endcap.contracts.signals`; all when left out.

    Returns:
        Columns user_id, item_index, session_id, signal, occurred_at (the first in the visit), weight (float64).
    """
    done = training.interactions.filter(pl.col("occurred_at") >= start, pl.col("occurred_at") < end, standing(pl.lit(end)))
    if codes is not None:
        done = done.filter(pl.col("signal").is_in(sorted(codes)))
    once = done.group_by("user_id", "item_index", "session_id", "signal").agg(pl.col("occurred_at").min()).collect(engine="streaming")
    return weighted(once.sort("occurred_at", "user_id", "item_index", "session_id", "signal"), training)


def weighted(rows: pl.DataFrame, training: TrainingSet) -> pl.DataFrame:
    """With `weight` (float64), what each row's `signal` counts."""
    weights = training.manifest.signals.weights.astype(float)
    return rows.with_columns(pl.Series("weight", weights[rows["signal"].to_numpy()], dtype=pl.Float64))


def latest_start(training: TrainingSet, days: int, moment: datetime) -> datetime:
    """So many days before a moment; where nothing happened in them, before the last that did."""
    newest = training.interactions.filter(pl.col("occurred_at") < moment).select(pl.col("occurred_at").max()).collect().item()
    start = moment - timedelta(days=days)
    return newest - timedelta(days=days) if isinstance(newest, datetime) and newest < start else start
