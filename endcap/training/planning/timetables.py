"""Ways to cut a dataset's time, the best first: what suits a year suits no week, and a week can still be learned from."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from endcap.contracts.training_plan import Timetable

LONGER_TEST_WEEKS = (8, 13, 26, 52)
"""For shops in which hardly anybody bought anything for long before the last purchases."""
WEEK = timedelta(weeks=1)
DAYS_UNDER = timedelta(days=70)
"""Only data as short as this is cut by days: a year of daily snapshots would be as large as it is useless."""

USUAL = Timetable()
FORTNIGHTS = Timetable(test_weeks=2, ranking_window_step_days=7, horizon_days=14, target_days=7, first_snapshot_days=14)
WEEKS = Timetable(test_weeks=1, ranking_window_step_days=7, horizon_days=7, target_days=7, first_snapshot_days=7)
DAYS = tuple(
    Timetable(
        test_weeks=0,
        test_days=days,
        ranking_window_step_days=1,
        horizon_days=days,
        target_days=days,
        first_snapshot_days=days,
        grid_days=1,
    )
    for days in (3, 1)
)
NO_SNAPSHOTS_DAYS = 36_500
STEPS = Timetable(
    test_weeks=0,
    test_days=1,
    ranking_windows=1,
    ranking_window_step_days=1,
    horizon_days=1,
    target_days=1,
    first_snapshot_days=NO_SNAPSHOTS_DAYS,
    grid_days=1,
)
"""For data that knows an order and no times, a day a step: the last day's steps are judged, those of the day before teach the ranker. The
objective of such data is the next item, which needs no snapshots."""
ALL_OF_IT = Timetable(test_weeks=0, ranking_windows=0)
"""Nothing is kept for evaluation, so nothing can be judged."""


@dataclass(frozen=True)
class TimeRange:
    """Of a dataset; where it does not know times, a person's steps are a day apart and say an order only."""

    first_purchase: datetime
    last_purchase: datetime
    last_event: datetime
    knows_times: bool = True


def timetables(time: TimeRange, test_weeks: int, ranking_windows: int) -> Iterator[Timetable]:
    """Timetables to try, in order; each with fewer and fewer ranking windows.

    Args:
        time: the data's.
        test_weeks: what is asked for; 0 for whatever fits.
        ranking_windows: the most that are asked for; 0 for the usual number.
    """
    if not time.knows_times and not test_weeks:
        for windows in range(ranking_windows or STEPS.ranking_windows, 0, -1):
            yield STEPS.model_copy(update={"ranking_windows": windows})
    most = ranking_windows or USUAL.ranking_windows
    for times in _by_length(time, test_weeks):
        for windows in range(most, 0, -1):
            yield times.model_copy(update={"ranking_windows": windows})


def without_training(time: TimeRange, test_weeks: int) -> Iterator[Timetable]:
    """Timetables for data from which nothing personal can be learned: simple methods may still be judged."""
    for times in _by_length(time, test_weeks):
        yield times.model_copy(update={"ranking_windows": 0})


def _by_length(time: TimeRange, test_weeks: int) -> Iterator[Timetable]:
    if test_weeks:
        yield from (times.model_copy(update={"test_weeks": test_weeks}) for times in (USUAL, FORTNIGHTS, WEEKS))
        return
    lengths = (USUAL, FORTNIGHTS, WEEKS)
    yield from lengths
    silent_weeks = (time.last_event - time.last_purchase) // WEEK
    if silent_weeks:
        # Whatever lies behind the last purchase is no time in which anybody could be judged.
        yield from (times.model_copy(update={"test_weeks": times.test_weeks + silent_weeks}) for times in lengths)
    yield from (USUAL.model_copy(update={"test_weeks": weeks}) for weeks in LONGER_TEST_WEEKS)
    if time.last_event - time.first_purchase < DAYS_UNDER:
        yield from DAYS
