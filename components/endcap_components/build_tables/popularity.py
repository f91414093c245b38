"""Popularity overall and by segment."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from endcap.engine.retrieval.candidates import Candidates
from endcap.engine.retrieval.popular import OVERALL, Popularity, popular_of, segment_name
from endcap.features.columns import USER_CATEGORICAL

SEGMENT_USERS_MIN = 50
"""A segment with fewer users has no taste of its own that could be counted."""

TABLE_SIZE = 1000


def popularity_of(purchases: pl.DataFrame, users: pl.DataFrame, item_count: int) -> Popularity:
    """Count baskets by item, overall and for every user category with at least SEGMENT_USERS_MIN users.

    Args:
        purchases: columns user_id, item_index, session_id; those that count.
        users: user_id and USER_CATEGORICAL.
        item_count: items in the catalogue.
    """
    baskets = purchases.select("user_id", "item_index", "session_id").unique()
    by_segment = {OVERALL: _table(baskets, item_count)}
    for name, members in segments(users):
        table = _table(baskets.join(members, on="user_id", how="semi"), item_count)
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


def _table(baskets: pl.DataFrame, item_count: int) -> Candidates:
    return popular_of(baskets["item_index"].to_numpy().astype(np.int32), item_count, TABLE_SIZE)
