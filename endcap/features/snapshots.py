"""The moments at which features are computed, derived from the data's time range alone."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from endcap.contracts.signals import Signals
from endcap.contracts.tables import UTC_TIMESTAMP
from endcap.contracts.training_plan import Timetable
from endcap.core.errors import DataRejected
from endcap.features.columns import HORIZON_DAYS

DAY = timedelta(days=1)
WEEK = timedelta(days=7)


@dataclass(frozen=True)
class FeatureOptions:
    """Which snapshots are made.

    Attributes:
        test_weeks: whole weeks at the data's end kept for evaluation.
        ranking_windows: how many label windows the ranker learns from.
        ranking_window_step_days: days between the starts of two such windows; whole weeks, or days where `grid_days` is 1.
        horizon_days: length of a label window.
        first_snapshot_days: days of purchases before the first snapshot; with too few it would describe users by hardly any purchase.
        grid_days: days between snapshots: 7 for Mondays, 1 for midnights.
        low_rating: ratings up to this count against an item, on the shop's own scale; None for none.
        ratings: whether ratings stand in histories, and low ones end what they are of.
        test_days: days kept beside `test_weeks`; with neither nothing is kept, and the cut is the data's end.
    """

    test_weeks: int = 4
    ranking_windows: int = 3
    ranking_window_step_days: int = 14
    horizon_days: int = HORIZON_DAYS
    first_snapshot_days: int = 28
    grid_days: int = 7
    test_days: int = 0
    low_rating: float | None = None
    ratings: bool = True

    @classmethod
    def of(cls, times: Timetable, signals: Signals | None = None) -> "FeatureOptions":
        """The snapshots of a training plan, and what ratings say; the defaults without signals."""
        signals = signals or Signals()
        return cls(
            test_weeks=times.test_weeks,
            ranking_windows=times.ranking_windows,
            ranking_window_step_days=times.ranking_window_step_days,
            horizon_days=times.horizon_days,
            first_snapshot_days=times.first_snapshot_days,
            grid_days=times.grid_days,
            test_days=times.test_days,
            low_rating=signals.low_rating,
            ratings=signals.rating.weight > 0,
        )


@dataclass(frozen=True)
class SnapshotPlan:
    """All snapshot moments, UTC.

    Attributes:
        data_end: first whole second after the last event.
        cut: Monday or midnight, as the grid has it; what happens from here on is for evaluation. The data's end where nothing is kept.
        ranking_times: starts of the ranker's label windows, oldest first; the youngest window ends at the cut.
        weekly: every moment of the grid from `first_snapshot_days` after the first event.
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
    kept = options.test_weeks * WEEK + options.test_days * DAY
    cut = grid_at_or_before(data_end - kept, options.grid_days) if kept else data_end
    if cut <= first_event_at:
        raise DataRejected(
            f"the data spans less than the {options.test_weeks} weeks kept for evaluation and a week before them",
            field="events.occurred_at",
            value=f"{first_event_at.isoformat()} to {last_event_at.isoformat()}",
            fix="import a longer time range, or lower --test-weeks",
        )
    youngest = cut - timedelta(days=options.horizon_days)
    step = timedelta(days=options.ranking_window_step_days)
    ranking_times = sorted(youngest - place * step for place in range(options.ranking_windows))
    weekly = []
    grid = options.grid_days * DAY
    moment = grid_at_or_before(first_event_at + options.first_snapshot_days * DAY + grid - timedelta(microseconds=1), options.grid_days)
    while moment <= data_end:
        weekly.append(moment)
        moment += grid
    return SnapshotPlan(
        first_event_at=first_event_at,
        last_event_at=last_event_at,
        data_end=data_end,
        cut=cut,
        ranking_times=tuple(moment for moment in ranking_times if moment > first_event_at),
        weekly=tuple(weekly),
    )


def grid_at_or_before(moment: datetime, grid_days: int) -> datetime:
    """The last Monday (`grid_days` 7) or day (1), 00:00 UTC, that is not after `moment`."""
    midnight = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=midnight.weekday() % grid_days)


def snapshots_table(moments: tuple[datetime, ...], data_end: datetime) -> pa.Table:
    """`event_timestamp` and `is_data_end`, the table that feature expressions take."""
    return pa.table(
        {"event_timestamp": pa.array(moments, UTC_TIMESTAMP), "is_data_end": pa.array([moment == data_end for moment in moments])}
    )
