"""Purchases of one week of the Complete Journey, a table of lines."""

from pathlib import Path

import polars as pl

from endcap.dataset.layout import Dataset

WEEK_BEGINS, WEEK_ENDS = "2017-11-27T00:00:00Z", "2017-12-04T00:00:00Z"
"""A common one: 28,338 lines of 2,882 visits of 1,322 households."""
SHORT_LINES = 1_200


def purchases(dataset: Dataset, most_lines: int | None) -> pl.DataFrame:
    """Lines in the order of their moments, of whole visits.

    Args:
        dataset: of all households, or of some.
        most_lines: so many and the rest of the last visit; None for all of the week.

    Returns:
        `visit`, `household` (text), `occurred_at`, `item_id`, `quantity`, `unit_price`, `currency`.
    """
    week = _week(dataset.table("events"))
    if most_lines is None:
        return week
    begun = week.head(most_lines)["visit"].unique()
    return week.filter(pl.col("visit").is_in(begun.implode()))


def _week(events: Path) -> pl.DataFrame:
    begins, ends = (pl.lit(text).str.to_datetime(time_unit="us", time_zone="UTC") for text in (WEEK_BEGINS, WEEK_ENDS))
    lines = pl.scan_parquet(events).filter(pl.col("occurred_at") >= begins, pl.col("occurred_at") < ends)
    columns = {"visit": "session_id", "household": "user_id"}
    kept = lines.select(
        *(pl.col(old).alias(new) for new, old in columns.items()), "occurred_at", "item_id", "quantity", "unit_price", "currency"
    )
    # A visit's lines stand together, for whole visits are sent one after the other; and the order is the same each time.
    order = ("begun", "visit", "occurred_at", "item_id", "quantity", "unit_price")
    return kept.with_columns(begun=pl.col("occurred_at").min().over("visit")).sort(order).drop("begun").collect()
