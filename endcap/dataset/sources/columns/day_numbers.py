"""Times that count days from a first one, with or without a time of day beside: `1`, `711 1631`, `12 9:05`."""

from datetime import date

import polars as pl

_NUMBERED = r"^(-?\d{1,6})(?:\.0+)?(?:\s+(?:(\d{1,4})(?:\.0+)?|(\d{1,2}):(\d{2})(?::(\d{2}))?))?$"
_HOURS, _MINUTES = 24, 60
LIKE = "711 or, with hours and minutes, 711 1631 or 711 16:31"
"""How such times are written, for messages."""


def numbered_days(text: pl.Series, first_day: date) -> pl.Series:
    """Clock times as Datetime of microseconds, null where a text is none.

    Args:
        text: the number of the day, alone or with a time of day: hours and minutes as one number (5 is 00:05, 1631 is 16:31), or with
            colons.
        first_day: the day with the number 1.
    """
    parts = text.str.extract_groups(_NUMBERED)
    day, together, hour, minute, second = (parts.struct.field(str(place)).cast(pl.Int64) for place in range(1, 6))
    clock = pl.DataFrame(
        {
            "day": day,
            "hour": pl.select(pl.coalesce(together // 100, hour, pl.when(day.is_not_null()).then(0))).to_series(),
            "minute": pl.select(pl.coalesce(together % 100, minute, pl.when(day.is_not_null()).then(0))).to_series(),
            "second": second.fill_null(0),
        }
    )
    since = pl.duration(days=pl.col("day") - 1, hours=pl.col("hour"), minutes=pl.col("minute"), seconds=pl.col("second"))
    is_clock = (pl.col("hour") < _HOURS) & (pl.col("minute") < _MINUTES) & (pl.col("second") < _MINUTES)
    return clock.select(pl.when(is_clock).then(pl.lit(first_day).cast(pl.Datetime("us")) + since)).to_series()
