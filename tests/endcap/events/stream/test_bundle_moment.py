from datetime import UTC, datetime, timedelta

import pytest

from endcap.events.stream.bundle_moment import moved_by

PRESENT = datetime(2026, 11, 27, 8, tzinfo=UTC)
LONG_AGO = datetime(2018, 1, 1, tzinfo=UTC)


def test_a_bundle_of_recorded_data_sees_the_present_at_its_datas_end() -> None:
    assert PRESENT - moved_by("auto", LONG_AGO, PRESENT) == LONG_AGO


def test_a_moment_that_is_set_is_the_present() -> None:
    asked = datetime(2017, 12, 4, tzinfo=UTC)
    assert PRESENT - moved_by(asked, LONG_AGO, PRESENT) == asked


@pytest.mark.parametrize(("replay_at", "data_end"), [("auto", PRESENT - timedelta(days=3)), ("now", LONG_AGO)])
def test_nothing_is_moved_where_a_bundle_answers_as_of_now(replay_at: str, data_end: datetime) -> None:
    assert moved_by(replay_at, data_end, PRESENT) == timedelta(0)
