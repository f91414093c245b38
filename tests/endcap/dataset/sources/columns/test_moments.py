import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from endcap.dataset.sources.columns.moments import PlausibleTimes, read_moments
from endcap.dataset.sources.columns.value_format import ValueFormat
from tests.properties import examples

ZONE = "America/New_York"
NOW = datetime(2026, 11, 29, tzinfo=UTC)


def read(values: list[Any], **options: Any) -> tuple[list[datetime | None], list[str | None]]:
    """The moments and, for each row, the reason it is refused."""
    mapped = ValueFormat(**options)
    reading = read_moments(pl.Series("when", values), mapped, PlausibleTimes.of(mapped, NOW))
    reasons: list[str | None] = [None] * len(values)
    for fault in reversed(reading.faults):
        for place in fault.rows.arg_true():
            reasons[place] = fault.reason if isinstance(fault.reason, str) else fault.reason[place]
    return reading.values.to_list(), reasons


def test_numbers_of_days_count_from_the_first_and_take_a_time_of_day() -> None:
    moments, reasons = read(["1 1631", "711 5", "1.0 905.0", "2", "3 16:31", "4 7:05:09"], first_day="2016-01-21", time_zone="UTC")
    assert [f"{moment:%Y-%m-%d %H:%M:%S}" for moment in moments if moment] == [
        *("2016-01-21 16:31:00", "2017-12-31 00:05:00", "2016-01-21 09:05:00"),
        *("2016-01-22 00:00:00", "2016-01-23 16:31:00", "2016-01-24 07:05:09"),
    ]
    assert reasons == [None] * 6
    assert read([1, 2], first_day="2016-01-21", time_zone=ZONE)[0][1] == datetime(2016, 1, 22, 5, tzinfo=UTC)


@pytest.mark.parametrize("text", ["1 2460", "1 1299", "x", "1 12:61", "2016-01-21", "1 2 3"])
def test_what_is_no_number_of_a_day_is_refused(text: str) -> None:
    moments, (reason,) = read([text], first_day="2016-01-21", time_zone="UTC")
    assert moments == [None]
    assert reason is not None
    assert reason.startswith("is no time like 711")


def test_days_that_lie_years_off_are_not_plausible() -> None:
    assert "is in the year 2029" in str(read(["5000"], first_day="2016-01-21", time_zone="UTC")[1][0])


def test_a_first_day_goes_with_no_other_way_to_write_times() -> None:
    with pytest.raises(ValidationError, match="neither time_format nor epoch_unit"):
        ValueFormat(first_day=date(2016, 1, 21), epoch_unit="s")


@given(st.lists(st.datetimes(datetime(1991, 1, 1), datetime(2026, 11, 1)), min_size=1, max_size=20))  # noqa: DTZ001
@examples(50)
def test_local_times_become_the_instant_that_the_zone_says_or_are_refused(clocks: list[datetime]) -> None:
    moments, reasons = read([clock.isoformat(sep=" ") for clock in clocks], time_zone=ZONE)
    zone = ZoneInfo(ZONE)
    for clock, moment, reason in zip(clocks, moments, reasons, strict=True):
        first = clock.replace(tzinfo=zone, fold=0)
        exists = first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == clock
        twice = exists and first.utcoffset() != clock.replace(tzinfo=zone, fold=1).utcoffset()
        if exists and not twice:
            assert (moment, reason) == (first.astimezone(UTC), None)
        else:
            assert reason is not None
            assert ("comes twice" in reason) == twice


@given(st.datetimes(datetime(1991, 1, 1), datetime(2026, 11, 1)), st.integers(-14 * 60, 14 * 60))  # noqa: DTZ001
@examples(50)
def test_offsets_are_taken_off(clock: datetime, offset_minutes: int) -> None:
    moment = clock.replace(tzinfo=timezone(timedelta(minutes=offset_minutes)))
    assert read([moment.isoformat()]) == ([moment.astimezone(UTC)], [None])


@pytest.mark.parametrize(
    ("values", "options", "moment"),
    [
        (["2026-03-01T08:00:00Z"], {}, datetime(2026, 3, 1, 8, tzinfo=UTC)),
        (["2026-03-01 08:00 UTC"], {}, datetime(2026, 3, 1, 8, tzinfo=UTC)),
        (["2026-03-01"], {"time_zone": ZONE}, datetime(2026, 3, 1, 5, tzinfo=UTC)),
        ([date(2026, 3, 1)], {"time_zone": ZONE}, datetime(2026, 3, 1, 5, tzinfo=UTC)),
        ([datetime(2026, 3, 1)], {"time_zone": "UTC"}, datetime(2026, 3, 1, tzinfo=UTC)),  # noqa: DTZ001
        ([datetime(2026, 3, 1, 9, tzinfo=ZoneInfo("Europe/Berlin"))], {}, datetime(2026, 3, 1, 8, tzinfo=UTC)),
        ([1772352000], {"epoch_unit": "s"}, datetime(2026, 3, 1, 8, tzinfo=UTC)),
        (["1772352000123"], {"epoch_unit": "ms"}, datetime(2026, 3, 1, 8, 0, 0, 123_000, tzinfo=UTC)),
        (["01/03/26 09.00 +0100"], {"time_format": "%d/%m/%y %H.%M %z"}, datetime(2026, 3, 1, 8, tzinfo=UTC)),
        (
            ["01.03.2026 09:00:00.25"],
            {"time_format": "%d.%m.%Y %H:%M:%S.%f", "time_zone": "UTC"},
            datetime(2026, 3, 1, 9, 0, 0, 250_000, tzinfo=UTC),
        ),
        (["2026-03-01 9"], {"time_zone": "UTC"}, datetime(2026, 3, 1, 9, tzinfo=UTC)),
        (["1/3/26 9"], {"time_format": "%d/%m/%y %H", "time_zone": "UTC"}, datetime(2026, 3, 1, 9, tzinfo=UTC)),
        (["01/03/2026 02:05 PM"], {"time_format": "%m/%d/%Y %I:%M %p", "time_zone": "UTC"}, datetime(2026, 1, 3, 14, 5, tzinfo=UTC)),
        (["20260301"], {"time_format": "%Y%m%d", "time_zone": "UTC"}, datetime(2026, 3, 1, tzinfo=UTC)),
        ([1772352000123], {"epoch_unit": "ms"}, datetime(2026, 3, 1, 8, 0, 0, 123_000, tzinfo=UTC)),
        ([1772352000.5], {"epoch_unit": "s"}, datetime(2026, 3, 1, 8, 0, 0, 500_000, tzinfo=UTC)),
        (["2026-11-29 12:00Z"], {}, datetime(2026, 11, 29, 12, tzinfo=UTC)),
        (["1950-03-01Z"], {"earliest": "1900-01-01"}, datetime(1950, 3, 1, tzinfo=UTC)),
        (["2099-12-31 23:59Z"], {"latest": "2099-12-31"}, datetime(2099, 12, 31, 23, 59, tzinfo=UTC)),
        ([None], {}, None),
    ],
)
def test_times_of_many_kinds_are_read(values: list[Any], options: dict[str, Any], moment: datetime | None) -> None:
    assert read(values, **options) == ([moment], [None])


@pytest.mark.parametrize(
    ("values", "options", "reason"),
    [
        (["2026-03-01 08:00"], {}, "the time has no zone"),
        ([datetime(2026, 3, 1)], {}, "the time has no zone"),  # noqa: DTZ001
        (["yesterday"], {"time_zone": ZONE}, "is no time like 2026-11-27T08:00:00Z"),
        (["2026-13-01T08:00:00Z"], {}, "is no time like"),
        (["1.3.26"], {"time_zone": ZONE, "time_format": "%d/%m/%y"}, "is no time like %d/%m/%y"),
        ([1772352000], {}, "name its epoch_unit"),
        (["1772352000123"], {"time_zone": ZONE}, "is a number; name its epoch_unit"),
        (["soon"], {"epoch_unit": "s"}, "is no number of s since 1970"),
        (["2026-03-08 02:30"], {"time_zone": ZONE}, "does not exist in America/New_York"),
        (["2026-11-01 01:30"], {"time_zone": ZONE}, "comes twice in America/New_York"),
    ],
)
def test_times_that_name_no_instant_are_refused_with_the_reason(values: list[Any], options: dict[str, Any], reason: str) -> None:
    [found] = read(values, **options)[1]
    assert found is not None
    assert reason in found


@pytest.mark.parametrize(
    ("values", "options", "reason"),
    [
        ([1772352000123], {"epoch_unit": "s"}, r"is in the year 5813\d, not between 1990-01-01 and 2026-11-29; is its epoch_unit right"),
        (["1772352000123456"], {"epoch_unit": "s"}, r"is in the year \d+ when read as a number of s; is its epoch_unit right"),
        ([1772352000], {"epoch_unit": "ms"}, "is in the year 1970, not between .* is its epoch_unit right"),
        ([1772352000123], {"epoch_unit": "us"}, "is in the year 1970"),
        ([0], {"epoch_unit": "s"}, "is in the year 1970"),
        ([float("inf")], {"epoch_unit": "s"}, "is in the year|is no number"),
        (["2099-01-01Z"], {}, "is in the year 2099, not between"),
        (["0026-03-01 08:00Z"], {}, "is in the year 26, .* is its format right"),
        (["2026-12-01 08:00Z"], {}, "is in the year 2026"),
    ],
)
def test_times_out_of_the_plausible_range_say_which_year_came_out(values: list[Any], options: dict[str, Any], reason: str) -> None:
    moments, [found] = read(values, **options)
    assert moments == [None]
    assert found is not None
    assert re.search(reason, found)


@given(st.integers(-(10**19), 10**19), st.sampled_from(["s", "ms", "us"]))
@examples(100)
def test_any_number_is_a_plausible_moment_or_refused(number: int, unit: str) -> None:
    [moment], [reason] = read([str(number)], epoch_unit=unit)
    assert (moment is None) == (reason is not None)
    assert moment is None or datetime(1990, 1, 1, tzinfo=UTC) <= moment < NOW + timedelta(days=1)


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ("%d.%m.%Q", "%Q is unknown"),
        ("%d.%m.%Y %", "a single % is unknown"),
        ("dd.mm.yyyy", "names no day"),
        ("%d.%m.", "names no day"),
        ("%H:%M", "names no day"),
        ("%d.%m.%Y %I:%M", "needs %p"),
        ("%d.%m.%Y :%M", "without %H"),
    ],
)
def test_a_format_that_can_name_no_moment_is_refused_in_the_mapping(form: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ValueFormat(time_format=form)


MOMENTS = st.datetimes(datetime(1991, 1, 1), datetime(2026, 11, 1)).map(lambda moment: moment.replace(second=0, microsecond=0))  # noqa: DTZ001
FORMS = ["%d.%m.%Y %H:%M", "%m/%d/%y %H:%M", "%Y-%m-%dT%H:%M", "%Y%m%d %H%M", "%d %b %Y %H:%M", "%Y/%j %H:%M", "%m/%d/%Y %I:%M %p"]


@given(MOMENTS, st.sampled_from(FORMS))
@examples(60)
def test_a_time_written_in_a_format_reads_back(moment: datetime, form: str) -> None:
    assert read([moment.strftime(form)], time_format=form, time_zone="UTC") == ([moment.replace(tzinfo=UTC)], [None])
