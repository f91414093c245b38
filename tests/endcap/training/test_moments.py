from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.core.errors import DataRejected
from endcap.training.moments import demand_training, fitting_moments

MONDAY = datetime(2025, 1, 6, tzinfo=UTC)
WEEK = timedelta(days=7)


@given(weeks=st.integers(14, 80), windows=st.integers(1, 4), target_days=st.integers(1, 21), horizon_days=st.integers(7, 28))
def test_no_label_reaches_into_what_comes_after(weeks: int, windows: int, target_days: int, horizon_days: int) -> None:
    weekly = [MONDAY + number * WEEK for number in range(weeks)]
    cut = weekly[-4]
    detailed = [cut - timedelta(days=28) - number * WEEK for number in range(windows)] + [cut, weekly[-1]]
    moments = fitting_moments(weekly, detailed, cut=cut, data_end=weekly[-1], target_days=target_days, horizon_days=horizon_days)
    assert all(moment + timedelta(days=horizon_days) <= cut for moment in moments.windows)
    assert all(moment + timedelta(days=target_days) <= moments.windows[0] for moment in moments.snapshots)
    assert list(moments.snapshots) == sorted(moments.snapshots)


def test_data_without_room_for_a_window_is_refused() -> None:
    with pytest.raises(DataRejected, match="ranking window"):
        demand_training(fitting_moments([MONDAY], [MONDAY], cut=MONDAY + WEEK, data_end=MONDAY + 2 * WEEK, target_days=7, horizon_days=28))


def test_data_without_a_snapshot_before_the_windows_is_refused() -> None:
    cut = MONDAY + 4 * WEEK
    with pytest.raises(DataRejected, match="snapshot"):
        demand_training(fitting_moments([MONDAY], [MONDAY], cut=cut, data_end=cut + 4 * WEEK, target_days=7, horizon_days=28))
