from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.core.errors import DataRejected
from endcap.features.snapshots import FeatureOptions, plan_snapshots

WEEK = timedelta(weeks=1)


def test_complete_journeys_cut_is_the_monday_four_whole_weeks_before_the_end():
    plan = plan_snapshots(datetime(2017, 1, 1, 11, 53, 26, tzinfo=UTC), datetime(2018, 1, 1, 4, 1, 20, tzinfo=UTC), FeatureOptions())
    assert plan.cut == datetime(2017, 12, 4, tzinfo=UTC)
    assert plan.data_end == datetime(2018, 1, 1, 4, 1, 21, tzinfo=UTC)
    assert [f"{moment:%m-%d}" for moment in plan.ranking_times] == ["10-09", "10-23", "11-06"]
    assert (plan.weekly[0], plan.weekly[-1]) == (datetime(2017, 1, 30, tzinfo=UTC), datetime(2018, 1, 1, tzinfo=UTC))
    assert len(plan.times) == 50


@given(
    st.datetimes(datetime(2001, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.timedeltas(timedelta(weeks=9), timedelta(weeks=120)),
    st.integers(1, 6),
    st.integers(1, 4),
)
def test_plans_keep_their_promises(first, span, test_weeks, windows):
    last = first + span
    plan = plan_snapshots(first, last, FeatureOptions(test_weeks=test_weeks, ranking_windows=windows))
    assert last < plan.data_end <= last + timedelta(seconds=1)
    assert (plan.cut.weekday(), plan.cut.hour, plan.cut.minute, plan.cut.second) == (0, 0, 0, 0)
    assert test_weeks * WEEK <= plan.data_end - plan.cut < (test_weeks + 1) * WEEK
    assert all(moment + timedelta(days=28) <= plan.cut for moment in plan.ranking_times)
    assert all(first < moment for moment in plan.times)
    assert list(plan.times) == sorted(set(plan.times))
    assert all(moment.microsecond == 0 for moment in plan.times)
    assert {plan.cut, plan.data_end, *plan.ranking_times} <= set(plan.pair_times) <= set(plan.times)


def test_too_short_a_time_range_is_refused():
    first = datetime(2025, 1, 1, tzinfo=UTC)
    with pytest.raises(DataRejected, match="less than the 4 weeks"):
        plan_snapshots(first, first + timedelta(days=20), FeatureOptions())
