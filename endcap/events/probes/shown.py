"""What parts show of probes on their /metrics, for people to look at."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from endcap.events.probes.stations import DELAY_METRIC, TIME_METRIC, Station

_SAMPLE = re.compile(r"^(\w+)\{([^}]*)\} (\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')
_HALF = 0.5


@dataclass(frozen=True, slots=True)
class StationShown:
    """One station as a part shows it.

    Attributes:
        station: which.
        made_at: when the newest probe that came by was made, UTC; None before any did.
        delay_seconds: of half of the probes, or less; None before any did.
    """

    station: Station
    made_at: datetime | None
    delay_seconds: float | None

    def age_seconds(self, now: datetime) -> float | None:
        """Time since the newest probe was made."""
        return None if self.made_at is None else max(0.0, (now - self.made_at).total_seconds())


def stations_shown(text: str) -> list[StationShown]:
    """The stations of a part, in the order of the way.

    Args:
        text: its /metrics, in Prometheus' text format.
    """
    moments: dict[str, float] = {}
    buckets: dict[str, dict[float, float]] = {}
    for name, inside, value in _SAMPLE.findall(text):
        labels: Mapping[str, str] = dict(_LABEL.findall(inside))
        if name == TIME_METRIC:
            moments[labels["station"]] = float(value)
        elif name == f"{DELAY_METRIC}_bucket":
            buckets.setdefault(labels["station"], {})[float(labels["le"])] = float(value)
    return [
        StationShown(
            station,
            datetime.fromtimestamp(moments[station], UTC) if moments[station] else None,
            _median(sorted(buckets.get(station, {}).items())),
        )
        for station in Station
        if station in moments
    ]


def _median(bounds: Iterable[tuple[float, float]]) -> float | None:
    """Within the bucket that has it, as Prometheus' `histogram_quantile` says.

    Args:
        bounds: upper bound of each bucket and how many are not above it, ascending.
    """
    known = list(bounds)
    half = _HALF * known[-1][1] if known else 0.0
    below = lower = 0.0
    for bound, count in known:
        if half and count >= half:
            return lower if math.isinf(bound) else lower + (bound - lower) * (half - below) / (count - below)
        below, lower = count, bound
    return None
