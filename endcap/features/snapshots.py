"""The moments at which features are computed, derived from the data's time range alone."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from endcap.contracts.tables import UTC_TIMESTAMP
from endcap.core.errors import DataRejected
from endcap.features.columns import HORIZON_DAYS

WEEK = timedelta(days=7)
FIRST_SNAPSHOT_AFTER = 4 * WEEK
"""A first snapshot earlier than this would describe users by hardly any purchase."""


@dataclass(frozen=True)
class FeatureOptions:
    """Which snapshots are made.

    Attributes:
        test_weeks: whole weeks at the data's end kept for evaluation.
        ranking_windows: how many label windows the ranker learns from.
        ranking_window_step_days: days between the starts of two such windows; whole weeks.
    """

    test_weeks: int = 4
    ranking_windows: int = 3
    ranking_window_step_days: int = 14


@dataclass(frozen=True)
class SnapshotPlan:
    """All snapshot moments, UTC.

    Attributes:
        data_end: first whole second after the last event.
        cut: Monday 00:00; what happens from here on is for evaluation.
        ranking_times: starts of the ranker's label windows, oldest first; the youngest window ends at the cut.
        weekly: every Monday from four weeks after the first event.
    """

    first_event_at: datetime
    last_event_at: datetime
    data_end: datetime
    cut: datetime
    ranking_times: tuple[datetime, ...]
    weekly: tuple[datetime, ...]

    @property
    def pair_times(self) -> tuple[datetime, ...]:
        """Moments with user x item features, oldest first."""
        return tuple(sorted({*self.ranking_times, self.cut, self.data_end}))

    @property
    def times(self) -> tuple[datetime, ...]:
        """Moments with user and item features, oldest first."""
        return tuple(sorted({*self.weekly, *self.pair_times}))


def plan_snapshots(first_event_at: datetime, last_event_at: datetime, options: FeatureOptions) -> SnapshotPlan:
    """Lay the snapshots over the data's time range.

    Raises:
        DataRejected: the cut does not leave any data before it.
    """
    data_end = last_event_at.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
    cut = monday_at_or_before(data_end - options.test_weeks * WEEK)
    if cut <= first_event_at:
        raise DataRejected(
            f"the data spans less than the {options.test_weeks} weeks kept for evaluation and a week before them",
            field="events.occurred_at",
            value=f"{first_event_at.isoformat()} to {last_event_at.isoformat()}",
            fix="import a longer time range, or lower --test-weeks",
        )
    youngest = cut - timedelta(days=HORIZON_DAYS)
    step = timedelta(days=options.ranking_window_step_days)
    ranking_times = sorted(youngest - place * step for place in range(options.ranking_windows))
    weekly = []
    monday = monday_at_or_before(first_event_at + FIRST_SNAPSHOT_AFTER + WEEK - timedelta(microseconds=1))
    while monday <= data_end:
        weekly.append(monday)
        monday += WEEK
    return SnapshotPlan(
        first_event_at=first_event_at,
        last_event_at=last_event_at,
        data_end=data_end,
        cut=cut,
        ranking_times=tuple(moment for moment in ranking_times if moment > first_event_at),
        weekly=tuple(weekly),
    )


def monday_at_or_before(moment: datetime) -> datetime:
    """The last Monday 00:00 UTC that is not after `moment`."""
    midnight = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=midnight.weekday())


def snapshots_table(moments: tuple[datetime, ...], data_end: datetime) -> pa.Table:
    """`event_timestamp` and `is_data_end`, the table that feature expressions take."""
    return pa.table(
        {"event_timestamp": pa.array(moments, UTC_TIMESTAMP), "is_data_end": pa.array([moment == data_end for moment in moments])}
    )
