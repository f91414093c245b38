"""Time windows on a wall clock: zones, summer time, weekdays, hours past midnight."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.engine.rules.file.when import EARLIEST, LATEST, Time, TimeWindow

BERLIN = ZoneInfo("Europe/Berlin")
MOMENTS = st.datetimes(timezones=st.just(UTC))
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Apia", "Australia/Lord_Howe"])


def window(**parts: object) -> TimeWindow:
    return Time.model_validate(parts).window()


def berlin(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=BERLIN).astimezone(UTC)  # type: ignore[misc]


def test_hours_follow_the_wall_clock_through_summer_time() -> None:
    morning = window(zone="Europe/Berlin", hours="08:00-12:00")
    assert morning.holds(datetime(2026, 1, 15, 7, 0, tzinfo=UTC)) and not morning.holds(datetime(2026, 1, 15, 6, 59, tzinfo=UTC))
    assert morning.holds(datetime(2026, 7, 15, 6, 0, tzinfo=UTC)) and not morning.holds(datetime(2026, 7, 15, 10, 0, tzinfo=UTC))


@pytest.mark.parametrize(
    ("day", "utc_minutes_open"),
    [(datetime(2026, 3, 29, tzinfo=UTC), 0), (datetime(2026, 10, 25, tzinfo=UTC), 120), (datetime(2026, 6, 1, tzinfo=UTC), 60)],
)
def test_the_hour_that_a_clock_change_skips_or_repeats_counts_as_it_is_lived(day: datetime, utc_minutes_open: int) -> None:
    night = window(zone="Europe/Berlin", hours="02:00-03:00")
    minutes = [day - timedelta(hours=3) + timedelta(minutes=number) for number in range(24 * 60)]
    assert sum(night.holds(minute) for minute in minutes) == utc_minutes_open


def test_hours_past_midnight_belong_to_the_day_they_start_on() -> None:
    friday_night = window(zone="Europe/Berlin", hours="22:00-02:00", weekdays="friday")
    assert friday_night.holds(berlin(2026, 11, 27, 22, 0))
    assert friday_night.holds(berlin(2026, 11, 28, 1, 59))
    assert not friday_night.holds(berlin(2026, 11, 28, 2, 0))
    assert not friday_night.holds(berlin(2026, 11, 27, 1, 0)), "the small hours of Friday belong to Thursday"
    assert not friday_night.holds(berlin(2026, 11, 28, 22, 0))


def test_bounds_without_an_offset_are_local_times_of_the_zone() -> None:
    week = window(**{"zone": "Europe/Berlin", "from": "2026-11-27T08:00", "to": "2026-12-01"})
    assert week.start == datetime(2026, 11, 27, 7, 0, tzinfo=UTC) and week.end == datetime(2026, 11, 30, 23, 0, tzinfo=UTC)
    assert week.holds(week.start) and not week.holds(week.end) and week.holds(week.end - timedelta(microseconds=1))


def test_bounds_may_have_their_own_offset() -> None:
    assert window(**{"from": "2026-11-27T08:00+02:00"}).start == datetime(2026, 11, 27, 6, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"from": "2026-11-27"}, "has no time zone"),
        ({"from": "tomorrow"}, "no ISO 8601 time"),
        ({"from": "2026-12-01Z", "to": "2026-11-01Z"}, "no ISO 8601 time"),
        ({"from": "2026-12-01T00:00Z", "to": "2026-11-01T00:00Z"}, "must lie before"),
        ({"from": "0001-01-01T00:00Z"}, "outside the years"),
        ({"zone": "Europe"}, "no IANA time zone"),
        ({"zone": "../etc/passwd"}, "no IANA time zone"),
        ({"zone": ""}, "no IANA time zone"),
        ({"zone": "Mars/Base"}, "no IANA time zone"),
        ({"hours": "8-12"}, "no"),
        ({"hours": "08:00-08:00"}, "two different times"),
        ({"hours": "08:00-24:30"}, "two different times"),
        ({"hours": "24:00-08:00"}, "two different times"),
    ],
)
def test_what_is_no_window_is_refused(parts: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Time.model_validate(parts)


@given(
    now=MOMENTS,
    zone=ZONES,
    first=st.integers(0, 1439),
    last=st.integers(0, 1440),
)
def test_hours_and_their_complement_cover_every_moment_once(now: datetime, zone: str, first: int, last: int) -> None:
    if first == last or (first, last) == (0, 1440):
        return
    open_hours = TimeWindow(zone=ZoneInfo(zone), hours=(first, last))
    closed_hours = TimeWindow(zone=ZoneInfo(zone), hours=(last % 1440, first if first else 1440))
    assert open_hours.holds(now) != closed_hours.holds(now)


@given(now=MOMENTS, zone=ZONES)
def test_each_moment_lies_on_one_weekday(now: datetime, zone: str) -> None:
    holding = [day for day in range(7) if TimeWindow(zone=ZoneInfo(zone), weekdays=frozenset([day])).holds(now)]
    assert holding == [min(max(now, EARLIEST), LATEST).astimezone(ZoneInfo(zone)).weekday()]
