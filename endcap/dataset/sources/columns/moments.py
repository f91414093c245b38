"""Times of many kinds as UTC timestamps; what names no instant, or none that is plausible, becomes a fault of its row."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import polars as pl

from endcap.dataset.sources.columns.day_numbers import LIKE, numbered_days
from endcap.dataset.sources.columns.reading import Fault, Reading, first_of, only_where, repeated
from endcap.dataset.sources.columns.texts import as_text
from endcap.dataset.sources.columns.value_format import EARLIEST, ValueFormat

_UTC = pl.Datetime("us", "UTC")
_OFFSET = r"\s*(?:[Zz]|UTC|[+-]\d{2}:?\d{2})$"
_ISO_FORMATS = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%d")
_HOUR_ONLY = r"^(\d{4}-\d{2}-\d{2} \d{1,2})$"
_US_A_MINUTE = 60_000_000
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


def read_moments(column: pl.Series, mapped: ValueFormat, times: PlausibleTimes | None = None) -> Reading:
    """Times as UTC timestamps of microseconds.

    Args:
        column: texts (ISO 8601 or `time_format`), dates, datetimes with or without a zone, numbers since 1970 (`epoch_unit`), or numbers of
            days (`first_day`).
        times: what is plausible; None takes every time that the calendar has.
    """
    reading = _read(column, mapped)
    return _plausible(reading, times, mapped) if times else reading


def _plausible(reading: Reading, times: PlausibleTimes, mapped: ValueFormat) -> Reading:
    """The reading without the times outside the range, which become faults that say which year came out."""
    values = reading.values
    outside = ((values < times.start) | (values >= times.end)).fill_null(False)
    if not outside.any():
        return reading
    start, last = times.start.strftime("%Y-%m-%d"), (times.end - timedelta(microseconds=1)).strftime("%Y-%m-%d")
    question = "is its epoch_unit right?" if mapped.epoch_unit else "is its format right?"
    reason = _of_year(
        "is in the year {}, not between " + f"{start} and {last}; {question} If it is, set earliest or latest", values.dt.year()
    )
    return Reading(only_where(~outside, values), (*reading.faults, Fault(outside, reason)))


def _of_year(form: str, years: pl.Series) -> pl.Series:
    return pl.select(pl.format(form, pl.lit(years))).to_series()


def _read(column: pl.Series, mapped: ValueFormat) -> Reading:
    dtype = column.dtype
    if isinstance(dtype, pl.Datetime) and dtype.time_zone is not None:
        return Reading(column.dt.convert_time_zone("UTC").cast(_UTC))
    if isinstance(dtype, pl.Datetime | pl.Date):
        return _localised(column.cast(pl.Datetime("us")), column.is_not_null(), column.is_not_null(), mapped)
    if mapped.first_day is not None:
        clock = numbered_days(as_text(column), mapped.first_day)
        return _localised(clock, column.is_not_null(), column.is_not_null(), mapped, LIKE)
    if mapped.epoch_unit is not None:
        return _epochs(column, mapped.epoch_unit)
    if dtype != pl.String:
        is_number = Fault(column.is_not_null(), "is a number; name its epoch_unit in the mapping")
        return Reading(repeated(None, _UTC, len(column)), (is_number,))
    text = column.str.strip_chars()
    return _formatted_texts(text, mapped.time_format, mapped) if mapped.time_format else _iso_texts(text, mapped)


def _formatted_texts(text: pl.Series, form: str, mapped: ValueFormat) -> Reading:
    # %f counts nanoseconds here; after a point, fractions of a second are meant.
    read_as, shown = form.replace(".%f", "%.f"), text
    if not any(directive in form for directive in ("%M", "%T", "%R")) and any(hour in form for hour in ("%H", "%k")):
        # Hours without minutes are no time to the parser.
        shown, read_as = text + " 0", read_as + " %M"
    if "%z" not in form:
        clock = shown.str.to_datetime(read_as, time_unit="us", strict=False)
        return _localised(clock, text.is_not_null(), text.is_not_null(), mapped)
    moments = shown.str.to_datetime(read_as, time_unit="us", time_zone="UTC", strict=False)
    return Reading(moments, (Fault(text.is_not_null() & moments.is_null(), f"is no time like {form}"),))


def _epochs(column: pl.Series, unit: str) -> Reading:
    per_unit = {"s": 1_000_000, "ms": 1000, "us": 1}[unit]
    micros = (column.cast(pl.Float64, strict=False) * per_unit).round()
    in_calendar = micros.abs() <= _US_MAX
    # Floats have too few digits for every microsecond of today.
    number = micros.cast(pl.Int64, strict=False)
    if not column.dtype.is_float():
        number = first_of(column.cast(pl.Int64, strict=False) * per_unit, number)
    moments = only_where(in_calendar, number).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    is_number = micros.is_finite().fill_null(False)
    no_number = Fault(column.is_not_null() & ~is_number, f"is no number of {unit} since 1970")
    beyond = is_number & ~in_calendar
    if not beyond.any():
        return Reading(moments, (no_number,))
    years = (1970 + micros / _US_A_YEAR).floor().cast(pl.Int64, strict=False)
    reason = _of_year("is in the year {} when read as a number of " + unit + "; is its epoch_unit right?", years)
    return Reading(moments, (no_number, Fault(beyond, reason)))


def _iso_texts(text: pl.Series, mapped: ValueFormat) -> Reading:
    offset = text.str.extract(f"({_OFFSET})").str.strip_chars()
    plain = text.str.replace(_OFFSET, "").str.replace("[Tt]", " ")
    clock = plain.str.to_datetime(_ISO_FORMATS[0], time_unit="us", strict=False)
    for form in _ISO_FORMATS[1:]:
        if clock.null_count() > plain.null_count():
            padded = plain.str.replace(_HOUR_ONLY, "${1}:00")
            clock = first_of(clock, padded.str.to_datetime(form, time_unit="us", strict=False))
    # A day may be eight digits; what is longer counts seconds or less since 1970.
    numeric = (clock.is_null() & text.str.contains(r"^\d{9,19}(?:\.\d+)?$")).fill_null(False)
    is_number = Fault(numeric, "is a number; name its epoch_unit in the mapping")
    local = _localised(clock, offset.is_null(), text.is_not_null() & ~numeric, mapped)
    local = Reading(local.values, (is_number, *local.faults))
    if offset.null_count() == len(offset):
        return local
    hours_minutes = offset.str.replace(":", "").str.extract_groups(r"^([+-])(\d{2})(\d{2})$")
    hours, minutes = (hours_minutes.struct.field(part).cast(pl.Int64) for part in ("2", "3"))
    ahead = (hours * 60 + minutes) * (hours_minutes.struct.field("1") == "-").cast(pl.Int64).replace({0: 1, 1: -1})
    shifted = (clock - (ahead.fill_null(0) * _US_A_MINUTE).cast(pl.Duration("us"))).dt.replace_time_zone("UTC")
    return Reading(first_of(only_where(offset.is_not_null(), shifted), only_where(offset.is_null(), local.values)), local.faults)


def _localised(clock: pl.Series, naive: pl.Series, given: pl.Series, mapped: ValueFormat, form: str = "2026-11-27T08:00:00Z") -> Reading:
    """Naive clock times in the mapping's zone; `naive` says for which rows the zone matters, `given` which rows have a time at all."""
    form = mapped.time_format or form
    unreadable = Fault(given & clock.is_null(), f"is no time like {form}")
    zone = mapped.time_zone
    if zone is None:
        no_zone = Fault(naive & clock.is_not_null(), "the time has no zone; name one in the mapping, for example time_zone: Europe/Berlin")
        return Reading(repeated(None, _UTC, len(clock)), (unreadable, no_zone))
    earlier = clock.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    later = clock.dt.replace_time_zone(zone, ambiguous="latest", non_existent="null")
    gone = Fault(naive & clock.is_not_null() & earlier.is_null(), f"the time does not exist in {zone}: clocks were put forward over it")
    twice = Fault(
        naive & (earlier != later).fill_null(False), f"the time comes twice in {zone}: clocks were put back; give it with an offset"
    )
    return Reading(earlier.dt.convert_time_zone("UTC"), (unreadable, gone, twice))
