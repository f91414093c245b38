"""Which moments the models learn from, so that no label reaches into what another stage must not know."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from endcap.core.errors import DataRejected


@dataclass(frozen=True)
class Moments:
    """Moments of one training set, each tuple oldest first.

    Attributes:
        snapshots: of the two-tower's examples; their targets end before the first ranking window.
        windows: of the ranker's examples; their labels end before the cut.
        cut: the evaluation starts here.
        data_end: what is served is as of here.
    """

    snapshots: tuple[datetime, ...]
    windows: tuple[datetime, ...]
    cut: datetime
    data_end: datetime

    @property
    def full(self) -> list[datetime]:
        """Moments that need every feature of every user: the windows, the cut and the data's end."""
        return [*self.windows, self.cut, self.data_end]


def choose_moments(
    weekly: Sequence[datetime], detailed: Sequence[datetime], *, cut: datetime, data_end: datetime, target_days: int, horizon_days: int
) -> Moments:
    """Split the snapshots by use.

    Args:
        weekly: moments with user features.
        detailed: moments with user x item features.
        cut: start of the evaluation's truth.
        data_end: the snapshot after the last event.
        target_days: length of the two-tower's targets.
        horizon_days: length of the ranker's labels.

    Raises:
        DataRejected: the data is too short for one ranking window or one snapshot before it.
    """
    horizon = timedelta(days=horizon_days)
    windows = tuple(sorted(moment for moment in set(detailed) if moment + horizon <= cut))
    if not windows:
        raise DataRejected(
            "no ranking window whose labels end before the cut",
            field="features",
            value=[str(moment) for moment in sorted(detailed)],
            fix="use data over a longer time, or fewer test weeks",
        )
    snapshots = tuple(sorted(moment for moment in set(weekly) if moment + timedelta(days=target_days) <= windows[0]))
    if not snapshots:
        raise DataRejected(
            "no snapshot before the first ranking window", field="features", value=str(windows[0]), fix="use fewer ranking windows"
        )
    return Moments(snapshots=snapshots, windows=windows, cut=cut, data_end=data_end)
