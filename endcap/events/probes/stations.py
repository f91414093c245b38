"""Stations of the way of events: of which moment the newest probe is that came by each, and how long it took."""

import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from endcap.core.clock import Clock


class Station(StrEnum):
    """Where a probe comes by, in its order."""

    DISK = "disk"
    KAFKA = "kafka"
    READ = "read"
    STEPPED = "stepped"
    ONLINE_STORE = "online_store"
    TRANSFORMER = "transformer"


STATIONS: Mapping[Station, str] = {
    Station.DISK: "It is on the collector's disk, synced, as an event is when its sender is answered.",
    Station.KAFKA: "Kafka confirmed it, in all in-sync replicas. Without Kafka there is no such station: the stream reads the disk.",
    Station.READ: "The stream read it from Kafka or from the log.",
    Station.STEPPED: "The stream stored its place in the log, and its row among the rows that are to be delivered.",
    Station.ONLINE_STORE: "The online store has its row: the sink of visits wrote it, and read it back.",
    Station.TRANSFORMER: "A transformer read its row from where requests read visits.",
}
"""What a probe proves by coming by."""

TIME_METRIC = "endcap_probe_timestamp_seconds"
TIME_MEANING = "When the newest probe that came by a station was made; 0 before any did."
DELAY_METRIC = "endcap_probe_delay_seconds"
DELAY_MEANING = "Time from the making of a probe to its coming by a station."
INTERVAL_METRIC = "endcap_probe_interval_seconds"
INTERVAL_MEANING = "Time between two probes of a collector, by this part's settings; 0 where there are none."

DELAY_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)

Show = Callable[[Station, float], None]
"""Shows a station's moment, in seconds since 1970, or counts a delay there, in seconds."""


class ProbeStations:
    """Notes probes at the stations of one process; for any thread.

    Args:
        stations: that this process has; shown from the start on, so that a probe that never comes is missed too.
        clock: the present, UTC.
        show_moment: of the newest probe.
        count_delay: of each probe that is newer than those before, and than this process: how long an earlier one lay is not its delay.
    """

    def __init__(self, stations: Iterable[Station], clock: Clock, show_moment: Show, count_delay: Show) -> None:
        self._clock, self._show_moment, self._count_delay = clock, show_moment, count_delay
        self._began = clock()
        self._noting = threading.Lock()
        self._newest: dict[Station, datetime] = {}
        for station in stations:
            show_moment(station, 0.0)

    @classmethod
    def shown_by(cls, moments: Any, delays: Any, stations: Iterable[Station], clock: Clock) -> Self:
        """Stations whose moments and delays a part's metrics show.

        Args:
            moments: the gauge TIME_METRIC, whose label is the station.
            delays: the histogram DELAY_METRIC, whose label is the station.
            stations: that the process has.
            clock: the present, UTC.
        """
        return cls(
            stations,
            clock,
            lambda station, seconds: moments.labels(station.value).set(seconds),
            lambda station, seconds: delays.labels(station.value).observe(seconds),
        )

    def note(self, station: Station, made_at: datetime) -> None:
        """A probe came by; one that is not newer than another that did says nothing new.

        Args:
            station: one of this process.
            made_at: when the probe was made, UTC.
        """
        with self._noting:
            newest = self._newest.get(station)
            if newest is not None and made_at <= newest:
                return
            self._newest[station] = made_at
            self._show_moment(station, made_at.timestamp())
            if made_at >= self._began:
                # Clocks of two machines differ: what comes before it was made came at once.
                self._count_delay(station, max(0.0, (self._clock() - made_at).total_seconds()))
