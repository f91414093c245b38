"""Moments as whole UTC epoch seconds, so that every backend computes time alike, whatever its session time zone."""

import ibis.expr.types as ir

from endcap.contracts.moment import DAY_S


def epoch_seconds(moment: ir.TimestampValue) -> ir.IntegerValue:
    """UTC epoch seconds (int64), fractions cut off.

    `occurred_at < t` and `epoch_seconds(occurred_at) < epoch_seconds(t)` say the same when t is a whole second, as snapshots are.
    """
    return moment.epoch_seconds().cast("float64").floor().cast("int64")


def with_instant(snapshots: ir.Table) -> ir.Table:
    """Snapshot moments with their epoch seconds.

    Args:
        snapshots: `event_timestamp` (UTC, whole seconds), `is_data_end` (boolean).

    Returns:
        `event_timestamp`, `is_data_end`, `t` (int64).
    """
    return snapshots.select("event_timestamp", "is_data_end", t=epoch_seconds(snapshots.event_timestamp))


def hour_of_day(at: ir.IntegerValue) -> ir.IntegerValue:
    """Hour 0-23 in UTC."""
    return ((at % DAY_S) / 3600).floor().cast("int64")


def weekday(at: ir.IntegerValue) -> ir.IntegerValue:
    """Day of the week, Monday 0; the epoch began on a Thursday."""
    return ((at / DAY_S).floor().cast("int64") + 3) % 7
