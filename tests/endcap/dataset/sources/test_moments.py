from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from endcap.dataset.sources.conversion import read_moments
from endcap.dataset.sources.mapping import TableMapping

ZONE = "America/New_York"


def read(values: list[Any], **options: Any) -> tuple[list[datetime | None], list[str | None]]:
    """The moments and, for each row, the reason it is refused."""
    frame = pl.DataFrame({"when": values})
    reading = read_moments(pl.col("when"), frame.schema["when"], TableMapping(files=["x"], **options))
    masks = [frame.select(mask.fill_null(False)).to_series().to_list() for mask, _ in reading.faults]
    reasons = [
        next((reason for (_, reason), mask in zip(reading.faults, masks, strict=True) if mask[place]), None) for place in range(len(values))
    ]
    return frame.with_columns(when=reading.values)["when"].to_list(), reasons


@given(st.lists(st.datetimes(datetime(1971, 1, 1), datetime(2037, 1, 1)), min_size=1, max_size=20))  # noqa: DTZ001
@settings(max_examples=50, deadline=None)
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


@given(st.datetimes(datetime(1971, 1, 1), datetime(2037, 1, 1)), st.integers(-14 * 60, 14 * 60))  # noqa: DTZ001
@settings(max_examples=50, deadline=None)
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
        (["soon"], {"epoch_unit": "s"}, "is no number of s since 1970"),
        (["2026-03-08 02:30"], {"time_zone": ZONE}, "does not exist in America/New_York"),
        (["2026-11-01 01:30"], {"time_zone": ZONE}, "comes twice in America/New_York"),
    ],
)
def test_times_that_name_no_instant_are_refused_with_the_reason(values: list[Any], options: dict[str, Any], reason: str) -> None:
    [found] = read(values, **options)[1]
    assert found is not None
    assert reason in found
