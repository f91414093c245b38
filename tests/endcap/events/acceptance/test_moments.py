from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.events.acceptance.moments import AHEAD_MAX, BACK_MAX, CLOCK_OFF_MAX, RefusedMoment, corrected_moment

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
ANY = st.datetimes(timezones=st.just(UTC))
NEAR = st.timedeltas(timedelta(hours=-23), timedelta(hours=23))


@given(ANY, st.none() | ANY)
def test_a_moment_that_is_taken_lies_within_a_day_before_the_arrival(occurred_at: datetime, sent_at: datetime | None) -> None:
    moment = corrected_moment(occurred_at, sent_at, NOW)
    assert isinstance(moment, RefusedMoment) or NOW - BACK_MAX <= moment <= NOW


@given(NEAR, st.timedeltas(timedelta(0), BACK_MAX))
def test_a_clock_that_is_off_changes_nothing(skew: timedelta, ago: timedelta) -> None:
    assert corrected_moment(NOW - ago + skew, NOW + skew, NOW) == NOW - ago


@given(st.timedeltas(timedelta(0), BACK_MAX))
def test_without_sent_at_the_senders_clock_is_believed(ago: timedelta) -> None:
    assert corrected_moment(NOW - ago, None, NOW) == NOW - ago


@given(st.timedeltas(timedelta(0), AHEAD_MAX), st.none() | NEAR)
def test_up_to_five_minutes_ahead_is_now(ahead: timedelta, skew: timedelta | None) -> None:
    own_now = NOW if skew is None else NOW + skew
    assert corrected_moment(own_now + ahead, None if skew is None else own_now, NOW) == NOW


@pytest.mark.parametrize(
    ("occurred", "sent", "field", "is_late"),
    [
        (AHEAD_MAX + timedelta(microseconds=1), None, "occurred_at", False),
        (-BACK_MAX - timedelta(microseconds=1), None, "occurred_at", True),
        (-timedelta(days=3), timedelta(0), "occurred_at", True),
        (-CLOCK_OFF_MAX - timedelta(seconds=2), -CLOCK_OFF_MAX - timedelta(seconds=1), "sent_at", False),
        (CLOCK_OFF_MAX, CLOCK_OFF_MAX + timedelta(seconds=1), "sent_at", False),
    ],
)
def test_what_is_out_of_bounds_is_refused_by_its_field(occurred: timedelta, sent: timedelta | None, field: str, is_late: bool) -> None:
    verdict = corrected_moment(NOW + occurred, None if sent is None else NOW + sent, NOW)
    assert isinstance(verdict, RefusedMoment)
    assert (verdict.field, verdict.is_late) == (field, is_late)
