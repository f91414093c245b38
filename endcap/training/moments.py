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


def fitting_moments(
    weekly: Sequence[datetime], detailed: Sequence[datetime], *, cut: datetime, data_end: datetime, target_days: int, horizon_days: int
) -> Moments:
    """Split the snapshots by use; what does not fit is left out, be it all of them.

    Args:
        weekly: moments with user features.
        detailed: moments with user x item features.
        cut: start of the evaluation's truth.
        data_end: the snapshot after the last event.
        target_days: length of the two-tower's targets.
        horizon_days: length of the ranker's labels.
    """
    horizon, target = timedelta(days=horizon_days), timedelta(days=target_days)
    windows = tuple(sorted(moment for moment in set(detailed) if moment + horizon <= cut))
    snapshots = tuple(sorted(moment for moment in set(weekly) if windows and moment + target <= windows[0]))
    return Moments(snapshots=snapshots, windows=windows, cut=cut, data_end=data_end)


def demand_training(moments: Moments) -> None:
    """Refuse moments from which models cannot be trained.

    Raises:
        DataRejected: the data is too short for one ranking window or one snapshot before it.
    """
    if not moments.windows:
        raise DataRejected(
            "no ranking window whose labels end before the cut",
            field="features",
            value=str(moments.cut),
            fix="use data over a longer time, or fewer test weeks",
        )
    if not moments.snapshots:
        raise DataRejected(
            "no snapshot before the first ranking window", field="features", value=str(moments.windows[0]), fix="use fewer ranking windows"
        )
