"""When a key's state is looked at again only to be forgotten."""

import polars as pl

from endcap.events.stream.function import DUE_AT, KEY, Instant

EXPIRES_AT = "expires_at"


def due_to_expire(state: pl.DataFrame, expires_at: pl.Expr, at: Instant) -> pl.DataFrame:
    """`key` and `due_at`: when the watermark will have passed the last row of each key, if it moves as the clock does.

    Args:
        state: rows that are kept, each to expire after the watermark.
        expires_at: UTC, over `state`.
        at: where the stream stands.
    """
    last = state.group_by(KEY).agg(expires_at.max().alias(EXPIRES_AT))
    return last.select(KEY, (pl.lit(at.present) + (pl.col(EXPIRES_AT) - pl.lit(at.watermark))).dt.cast_time_unit("us").alias(DUE_AT))
