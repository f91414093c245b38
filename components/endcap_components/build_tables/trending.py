"""Trends overall and by segment: the last days against each item's own usual rate."""

from datetime import datetime, timedelta

import numpy as np
import polars as pl

from endcap.engine.retrieval.candidates import Candidates
from endcap.engine.retrieval.popular import OVERALL, Popularity
from endcap.engine.retrieval.trending import trending_of
from endcap_components.build_tables.popularity import TABLE_SIZE, segments

RECENT_DAYS = 7
USUAL_DAYS = 28


def trending_at(purchases: pl.DataFrame, users: pl.DataFrame, moment: datetime) -> Popularity:
    """Trends of the RECENT_DAYS before `moment` against the USUAL_DAYS before those.

    Args:
        purchases: columns user_id, item_index, session_id, occurred_at; those before `moment` count.
        users: user_id and USER_CATEGORICAL.
        moment: where to look from.
    """
    split, start = moment - timedelta(days=RECENT_DAYS), moment - timedelta(days=RECENT_DAYS + USUAL_DAYS)
    baskets = (
        purchases.filter(pl.col("occurred_at") >= start, pl.col("occurred_at") < moment)
        .group_by("user_id", "item_index", "session_id")
        .agg((pl.col("occurred_at").min() >= split).alias("is_recent"))
    )
    by_segment = {OVERALL: _trends(baskets)}
    for name, members in segments(users):
        table = _trends(baskets.join(members, on="user_id", how="semi"))
        if len(table.index):
            by_segment[name] = table
    return Popularity(by_segment)


def _trends(baskets: pl.DataFrame) -> Candidates:
    counts = baskets.group_by("item_index").agg(pl.col("is_recent").sum().alias("recent"), (~pl.col("is_recent")).sum().alias("usual"))
    counts = counts.sort("item_index")
    recent, usual = (counts[name].to_numpy().astype(np.float32) for name in ("recent", "usual"))
    # As much as the whole shop sells now: a holiday week is no trend of every item.
    expected = usual * (recent.sum() / max(float(usual.sum()), 1.0))
    return trending_of(counts["item_index"].to_numpy().astype(np.int32), recent, expected, TABLE_SIZE)
