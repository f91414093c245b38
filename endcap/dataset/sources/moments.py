"""Times of many kinds as UTC timestamps; what names no instant, or none that is plausible, becomes a fault of its row."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import polars as pl

from endcap.dataset.sources.reading import Reading
from endcap.dataset.sources.value_format import EARLIEST, ValueFormat

_UTC = pl.Datetime("us", "UTC")
_OFFSET = r"\s*(?:[Zz]|UTC|[+-]\d{2}:?\d{2})$"
_ISO_FORMATS = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%d")
_HOUR_ONLY = r"^(\d{4}-\d{2}-\d{2} \d{1,2})$"
_US_A_YEAR = 31_556_952_000_000
_US_MAX = 8e18


@dataclass(frozen=True)
class PlausibleTimes:
    """Both ends in UTC: the first instant that events may have, and the first that is too late."""

    start: datetime
    end: datetime

    @classmethod
    def of(cls, mapped: ValueFormat, now: datetime) -> "PlausibleTimes":
        """What the mapping says, else from 1990 to a day after the import."""
        end = _midnight(mapped.latest + timedelta(days=1)) if mapped.latest else now + timedelta(days=1)
        return cls(_midnight(mapped.earliest or EARLIEST), end)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def plausible(reading: Reading, times: PlausibleTimes, mapped: ValueFormat) -> Reading:
    """The reading without the times outside the range, which become faults that say which year came out."""
    outside = (reading.values < times.start) | (reading.values >= times.end)
    unit = "is its epoch_unit right?" if mapped.epoch_unit else "is its format right?"
    reason = _in_the_year(reading.values.dt.year(), times, f"{unit} If it is, set earliest or latest")
    return Reading(pl.when(~outside).then(reading.values), (*reading.faults, (outside, reason)))


def _in_the_year(year: pl.Expr, times: PlausibleTimes, question: str) -> pl.Expr:
    start, last = times.start.strftime("%Y-%m-%d"), (times.end - timedelta(microseconds=1)).strftime("%Y-%m-%d")
    return pl.format("is in the year {}, not between " + start + " and " + last + "; " + question, year)


def read_moments(column: pl.Expr, dtype: pl.DataType, mapped: ValueFormat, times: PlausibleTimes | None = None) -> Reading:
    """Times as UTC timestamps of microseconds.

    Args:
        column: texts (ISO 8601 or `time_format`), dates, datetimes with or without a zone, or numbers since 1970 (`epoch_unit`).
        dtype: the column's type in the file.
        times: what is plausible; None takes every time that the calendar has.
    """
    reading = _read(column, dtype, mapped)
    return plausible(reading, times, mapped) if times else reading


def _read(column: pl.Expr, dtype: pl.DataType, mapped: ValueFormat) -> Reading:
    if isinstance(dtype, pl.Datetime) and dtype.time_zone is not None:
        return Reading(column.dt.convert_time_zone("UTC").cast(_UTC))
    if isinstance(dtype, pl.Datetime | pl.Date):
        return _localised(column.cast(pl.Datetime("us")), pl.lit(True), column.is_not_null(), mapped)
    if mapped.epoch_unit is not None:
        return _epochs(column, dtype, mapped.epoch_unit)
    if dtype != pl.String:
        return Reading(pl.lit(None, dtype=_UTC), ((column.is_not_null(), "is a number; name its epoch_unit in the mapping"),))
    text = column.str.strip_chars()
    return _formatted_texts(text, mapped.time_format, mapped) if mapped.time_format else _iso_texts(text, mapped)


def _formatted_texts(text: pl.Expr, form: str, mapped: ValueFormat) -> Reading:
    # %f counts nanoseconds here; after a point, fractions of a second are meant.
    read_as, shown = form.replace(".%f", "%.f"), text
    if not any(directive in form for directive in ("%M", "%T", "%R")) and any(hour in form for hour in ("%H", "%k")):
        # Hours without minutes are no time to the parser.
        shown, read_as = text + pl.lit(" 0"), read_as + " %M"
    if "%z" not in form:
        return _localised(shown.str.to_datetime(read_as, time_unit="us", strict=False), pl.lit(True), text.is_not_null(), mapped)
    moments = shown.str.to_datetime(read_as, time_unit="us", time_zone="UTC", strict=False)
    return Reading(moments, ((text.is_not_null() & moments.is_null(), f"is no time like {form}"),))


def _epochs(column: pl.Expr, dtype: pl.DataType, unit: str) -> Reading:
    per_unit = {"s": 1_000_000, "ms": 1000, "us": 1}[unit]
    micros = (column.cast(pl.Float64, strict=False) * per_unit).round()
    in_calendar = micros.abs() <= _US_MAX
    # Floats have too few digits for every microsecond of today.
    whole = pl.lit(None, dtype=pl.Int64) if dtype.is_float() else column.cast(pl.Int64, strict=False) * per_unit
    number = pl.when(in_calendar).then(pl.coalesce(whole, micros.cast(pl.Int64, strict=False)))
    moments = number.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    year = (1970 + micros / _US_A_YEAR).floor().cast(pl.Int64, strict=False)
    reason = pl.format("is in the year {} when read as a number of " + unit + "; is its epoch_unit right?", year)
    is_number = micros.is_finite().fill_null(False)
    return Reading(moments, ((column.is_not_null() & ~is_number, f"is no number of {unit} since 1970"), (is_number & ~in_calendar, reason)))


def _iso_texts(text: pl.Expr, mapped: ValueFormat) -> Reading:
    offset = text.str.extract(f"({_OFFSET})").str.strip_chars()
    plain = text.str.replace(_OFFSET, "").str.replace("[Tt]", " ").str.replace(_HOUR_ONLY, "${1}:00")
    clock = pl.coalesce(plain.str.to_datetime(form, time_unit="us", strict=False) for form in _ISO_FORMATS)
    hours_minutes = offset.str.replace(":", "").str.extract_groups(r"^([+-])(\d{2})(\d{2})$")
    sign = pl.when(hours_minutes.struct.field("1") == "-").then(-1).otherwise(1)
    minutes = hours_minutes.struct.field("2").cast(pl.Int32) * 60 + hours_minutes.struct.field("3").cast(pl.Int32)
    shifted = (clock - pl.duration(minutes=(sign * minutes).fill_null(0))).dt.replace_time_zone("UTC")
    local = _localised(clock, offset.is_null(), text.is_not_null(), mapped)
    return Reading(pl.when(offset.is_not_null()).then(shifted).otherwise(local.values), local.faults)


def _localised(clock: pl.Expr, naive: pl.Expr, given: pl.Expr, mapped: ValueFormat) -> Reading:
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
