"""What is bought and looked at most, what of late more than before, and how long people wait before they buy the same again."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.contracts.moment import DAY_S
from endcap.engine.retrieval.candidates import Candidates
from endcap.engine.retrieval.popular import OVERALL, Popularity, most_counted, segment_name
from endcap.engine.retrieval.trending import trending_of
from endcap.features.columns import USER_CATEGORICAL

SEGMENT_USERS_MIN = 50
"""A segment with fewer users has no taste of its own that could be counted."""

TABLE_SIZE = 1000


def popularity_of(purchases: pl.DataFrame, users: pl.DataFrame, item_count: int, others: pl.DataFrame | None = None) -> Popularity:
    """Count baskets by item, overall and for every user category with at least SEGMENT_USERS_MIN users.

    What people and visits did besides orders what was bought equally often, and what was not bought: all of it together counts less than
    one basket, so that purchases come first and views fill.

    Args:
        purchases: columns user_id, item_index, session_id; those that count.
        users: user_id and USER_CATEGORICAL.
        item_count: items in the catalogue.
        others: columns user_id, item_index, weight; None where there are purchases only.
    """
    baskets = purchases.select("user_id", "item_index", "session_id").unique()
    by_segment = {OVERALL: _table(baskets, others, item_count)}
    for name, members in segments(users):
        theirs = None if others is None else others.join(members, on="user_id", how="semi")
        table = _table(baskets.join(members, on="user_id", how="semi"), theirs, item_count)
        if len(table.index):
            by_segment[name] = table
    return Popularity(by_segment)


def segments(users: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """Name and members of every user category with at least SEGMENT_USERS_MIN users.

    Args:
        users: user_id and USER_CATEGORICAL.
    """
    for column in USER_CATEGORICAL:
        for (value,), members in users.filter(pl.col(column).is_not_null(), pl.col(column) != "").group_by(column, maintain_order=True):
            if len(members) >= SEGMENT_USERS_MIN:
                yield segment_name(column, str(value)), members


BELOW_ONE = 0.9
"""Baskets that everything but purchases adds up to for the item that most of it is about."""


def _table(baskets: pl.DataFrame, others: pl.DataFrame | None, item_count: int) -> Candidates:
    counts = np.bincount(baskets["item_index"].to_numpy(), minlength=item_count + 1).astype(np.float32)
    if others is not None and len(others):
        added = np.bincount(others["item_index"].to_numpy(), others["weight"].to_numpy(), item_count + 1)
        counts += (BELOW_ONE * added / max(float(added.max()), 1.0)).astype(np.float32)
    return most_counted(counts, TABLE_SIZE)


GAPS_MIN = 5
"""With fewer gaps the item's own mean says little."""


def repurchase_gap_days(purchases: pl.DataFrame, item_count: int) -> NDArray[np.float32]:
    """float32 [item_count + 1]: mean days between two baskets of one user with the item, 0 for items that too few bought again.

    Args:
        purchases: columns user_id, item_index, session_id, occurred_at; those that count.
        item_count: items in the catalogue.
    """
    baskets = purchases.group_by("user_id", "item_index", "session_id").agg(pl.col("occurred_at").min())
    waits = (
        baskets.group_by("user_id", "item_index")
        .agg((pl.col("occurred_at").max() - pl.col("occurred_at").min()).alias("span"), (pl.len() - 1).alias("gaps"))
        .filter(pl.col("gaps") > 0)
        .group_by("item_index")
        .agg(pl.col("span").dt.total_seconds().sum() / DAY_S, pl.col("gaps").sum())
        .filter(pl.col("gaps") >= GAPS_MIN)
    )
    gap = np.zeros(item_count + 1, dtype=np.float32)
    gap[waits["item_index"].to_numpy()] = (waits["span"] / waits["gaps"]).to_numpy()
    return gap


RECENT_DAYS = 7
USUAL_DAYS = 28


def trending_at(occasions: pl.DataFrame, users: pl.DataFrame, moment: datetime) -> Popularity:
    """Trends of the RECENT_DAYS before `moment` against the USUAL_DAYS before those.

    Args:
        occasions: columns user_id, item_index, session_id, occurred_at and maybe signal and weight, without which each counts 1; those
            before `moment` count, each once.
        users: user_id and USER_CATEGORICAL.
        moment: where to look from.
    """
    split, start = moment - timedelta(days=RECENT_DAYS), trend_start(moment)
    keys = [name for name in ("user_id", "item_index", "session_id", "signal", "weight") if name in occasions.columns]
    once = (
        occasions.filter(pl.col("occurred_at") >= start, pl.col("occurred_at") < moment)
        .group_by(keys)
        .agg((pl.col("occurred_at").min() >= split).alias("is_recent"))
    )
    once = once if "weight" in keys else once.with_columns(weight=pl.lit(1.0))
    by_segment = {OVERALL: _trends(once)}
    for name, members in segments(users):
        table = _trends(once.join(members, on="user_id", how="semi"))
        if len(table.index):
            by_segment[name] = table
    return Popularity(by_segment)


def _trends(once: pl.DataFrame) -> Candidates:
    weight, is_recent = pl.col("weight"), pl.col("is_recent")
    counts = once.group_by("item_index").agg(weight.filter(is_recent).sum().alias("recent"), weight.filter(~is_recent).sum().alias("usual"))
    counts = counts.sort("item_index")
    recent, usual = (counts[name].to_numpy().astype(np.float32) for name in ("recent", "usual"))
    # As much as the whole shop sells now: a holiday week is no trend of every item.
    expected = usual * (recent.sum() / max(float(usual.sum()), 1.0))
    return trending_of(counts["item_index"].to_numpy().astype(np.int32), recent, expected, TABLE_SIZE)


def trend_start(moment: datetime) -> datetime:
    """Where what `trending_at` looks at begins."""
    return moment - timedelta(days=RECENT_DAYS + USUAL_DAYS)
