"""What probes say of the stream's way: up to where the log is read and stored, and whether all its partitions are."""

from collections.abc import Iterable
from datetime import datetime

from endcap.core.clock import Clock
from endcap.core.settings import Settings
from endcap.events.log.topic_names import events_topic
from endcap.events.probes.stations import Station
from endcap.events.stream.following import PLACE, Arrived
from endcap.events.stream.lines import MADE_AT
from endcap_stream.metrics import StreamMetrics


class ProbeNotes:
    """Notes probes as they are read and stored.

    Args:
        settings: all settings.
        metrics: where they are noted.
        places: that were read before: their partitions are missed from now on when no probe comes out of them.
        clock: the present, UTC.
    """

    def __init__(self, settings: Settings, metrics: StreamMetrics, places: Iterable[str], clock: Clock) -> None:
        self._metrics = metrics
        self._prefix = f"{events_topic(settings)}/" if settings.events.kafka_bootstrap else None
        self._newest: dict[str, datetime] = {}
        if settings.events.probe_seconds:
            for place in places:
                self._note_partition(place, clock())

    def read(self, arrived: Arrived) -> None:
        """The log was read so far."""
        self._note(Station.READ, arrived)
        for place, made_at in arrived.probes.group_by(PLACE).max().select(PLACE, MADE_AT).iter_rows():
            self._note_partition(place, made_at)

    def stored(self, arrived: Arrived) -> None:
        """What was read is stored with all that follows from it."""
        self._note(Station.STEPPED, arrived)

    def _note(self, station: Station, arrived: Arrived) -> None:
        newest = arrived.probes[MADE_AT].max()
        if isinstance(newest, datetime):
            self._metrics.stations.note(station, newest)

    def _note_partition(self, place: str, moment: datetime) -> None:
        """A file of the local log is no partition, nor is a topic's identity."""
        if self._prefix is None or not place.startswith(self._prefix):
            return
        partition = place.removeprefix(self._prefix)
        if partition.isdigit() and (partition not in self._newest or moment > self._newest[partition]):
            self._newest[partition] = moment
            self._metrics.probe_partitions.labels(partition).set(moment.timestamp())
