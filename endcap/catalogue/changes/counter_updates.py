"""Item counters as updates of the item table, where the stream has not heard of all that the bundle counted."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from endcap.events.stream.item_counters import EVERYWHERE, trend

COUNTED_DAYS = (7, 28)


@dataclass(frozen=True)
class ServedCounts:
    """What the served bundle counted.

    Attributes:
        data_end: where its data ends, UTC.
        answers_at: the moment that it answers as of, UTC; None for the present.
        items: `item_id`, `purchases_7d`, `purchases_28d` as of `data_end`.
    """

    data_end: datetime
    answers_at: datetime | None
    items: pl.DataFrame


def counter_updates(counts: pl.DataFrame, served: ServedCounts | None, since: datetime, now: datetime) -> pl.DataFrame:
    """Item updates from counts.

    The stream counts from the log's beginning on. Of a window that begins before, the bundle's count stands in for its share of the part
    that only the bundle's data has, as if sales were even over the window. From 28 days after the log's beginning on nothing is estimated.

    Args:
        counts: `endcap.events.stream.item_counters.COUNTS_SCHEMA`; those of the whole shop are taken.
        served: None before there is a bundle.
        since: when the log begins, UTC.
        now: the present, UTC.

    Returns:
        `item_id`, `updated_at` (`now`), `purchases_7d`, `trend`.
    """
    rows = counts.filter(pl.col("region") == EVERYWHERE).select(
        "item_id", *(pl.col(f"purchases_{days}d").cast(pl.Float64()) for days in COUNTED_DAYS)
    )
    if served is not None:
        rows = rows.join(served.items, on="item_id", how="left", suffix="_before").with_columns(
            pl.col(f"purchases_{days}d") + pl.col(f"purchases_{days}d_before").fill_null(0.0) * share_before(days, served, since, now)
            for days in COUNTED_DAYS
        )
    return rows.select(
        "item_id", pl.lit(now).alias("updated_at"), "purchases_7d", trend(pl.col("purchases_7d"), pl.col("purchases_28d")).alias("trend")
    )


def share_before(days: int, served: ServedCounts, since: datetime, now: datetime) -> float:
    """Share of the bundle's last days that lies in the window of so many days before now, and before the log's beginning.

    A bundle that answers as of another moment has the log moved there.
    """
    moved = timedelta(0) if served.answers_at is None else now - served.answers_at
    span = timedelta(days=days)
    start = max(now - moved, served.data_end) - span
    return max(0.0, (min(since - moved, served.data_end) - start) / span)
