"""Times of a user's files in UTC. A time without a zone needs one from the mapping; clock changes are never guessed at."""

from dataclasses import dataclass

import polars as pl

from endcap.dataset.sources.mapping import TableMapping

_UTC = pl.Datetime("us", "UTC")
_OFFSET = r"\s*(?:[Zz]|UTC|[+-]\d{2}:?\d{2})$"
_ISO_FORMATS = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%d")


@dataclass(frozen=True)
class Reading:
    """One column's values and its faults: each a mask of rows and the reason they are refused."""

    values: pl.Expr
    faults: tuple[tuple[pl.Expr, str], ...] = ()


def read_moments(column: pl.Expr, dtype: pl.DataType, mapped: TableMapping) -> Reading:
    """Times as UTC timestamps of microseconds.

    Args:
        column: texts (ISO 8601 or `time_format`), dates, datetimes with or without a zone, or numbers since 1970 (`epoch_unit`).
        dtype: the column's type in the file.
    """
    if isinstance(dtype, pl.Datetime) and dtype.time_zone is not None:
        return Reading(column.dt.convert_time_zone("UTC").cast(_UTC))
    if isinstance(dtype, pl.Datetime | pl.Date):
        return _localised(column.cast(pl.Datetime("us")), pl.lit(True), column.is_not_null(), mapped)
    if mapped.epoch_unit is not None:
        return _epochs(column, mapped)
    if dtype != pl.String:
        return Reading(pl.lit(None, dtype=_UTC), ((column.is_not_null(), "is a number; name its epoch_unit in the mapping"),))
    text = column.str.strip_chars()
    return _formatted_texts(text, mapped.time_format, mapped) if mapped.time_format else _iso_texts(text, mapped)


def _formatted_texts(text: pl.Expr, form: str, mapped: TableMapping) -> Reading:
    if "%z" not in form:
        return _localised(text.str.to_datetime(form, time_unit="us", strict=False), pl.lit(True), text.is_not_null(), mapped)
    moments = text.str.to_datetime(form, time_unit="us", time_zone="UTC", strict=False)
    return Reading(moments, ((text.is_not_null() & moments.is_null(), f"is no time like {form}"),))


def _epochs(column: pl.Expr, mapped: TableMapping) -> Reading:
    per_unit = {"s": 1_000_000, "ms": 1000, "us": 1}[mapped.epoch_unit or "s"]
    number = column.cast(pl.Float64, strict=False)
    moments = (number * per_unit).round().cast(pl.Int64, strict=False).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    return Reading(moments, ((column.is_not_null() & moments.is_null(), f"is no number of {mapped.epoch_unit} since 1970"),))


def _iso_texts(text: pl.Expr, mapped: TableMapping) -> Reading:
    offset = text.str.extract(f"({_OFFSET})").str.strip_chars()
    plain = text.str.replace(_OFFSET, "").str.replace("[Tt]", " ")
    clock = pl.coalesce(plain.str.to_datetime(form, time_unit="us", strict=False) for form in _ISO_FORMATS)
    hours_minutes = offset.str.replace(":", "").str.extract_groups(r"^([+-])(\d{2})(\d{2})$")
    sign = pl.when(hours_minutes.struct.field("1") == "-").then(-1).otherwise(1)
    minutes = hours_minutes.struct.field("2").cast(pl.Int32) * 60 + hours_minutes.struct.field("3").cast(pl.Int32)
    shifted = (clock - pl.duration(minutes=(sign * minutes).fill_null(0))).dt.replace_time_zone("UTC")
    local = _localised(clock, offset.is_null(), text.is_not_null(), mapped)
    return Reading(pl.when(offset.is_not_null()).then(shifted).otherwise(local.values), local.faults)


def _localised(clock: pl.Expr, naive: pl.Expr, given: pl.Expr, mapped: TableMapping) -> Reading:
    """Naive clock times in the mapping's zone; `naive` says for which rows the zone matters, `given` which rows have a time at all."""
    form = mapped.time_format or "2026-11-27T08:00:00Z"
    unreadable = (given & clock.is_null(), f"is no time like {form}")
    zone = mapped.time_zone
    if zone is None:
        no_zone = (naive & clock.is_not_null(), "the time has no zone; name one in the mapping, for example time_zone: Europe/Berlin")
        return Reading(pl.lit(None, dtype=_UTC), (unreadable, no_zone))
    earlier = clock.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    later = clock.dt.replace_time_zone(zone, ambiguous="latest", non_existent="null")
    skipped = (naive & clock.is_not_null() & earlier.is_null(), f"the time does not exist in {zone}: clocks were put forward over it")
    repeated = (naive & (earlier != later), f"the time comes twice in {zone}: clocks were put back; give it with an offset")
    return Reading(earlier.dt.convert_time_zone("UTC"), (unreadable, skipped, repeated))
