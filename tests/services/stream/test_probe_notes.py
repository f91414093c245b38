"""Of which moment the newest probe is that the stream read, stored, and had out of each partition."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import polars as pl
from prometheus_client import CollectorRegistry

from endcap.core.settings import EventSettings, Settings
from endcap.events.stream.following import PROBES_SCHEMA, Arrived
from endcap_stream.metrics import StreamMetrics
from endcap_stream.probe_notes import ProbeNotes
from tests.endcap.events.stream.streamed_events import BEGIN, frame

TOPIC = "endcap.events.v1"
KAFKA = EventSettings(kafka_bootstrap="127.0.0.1:1")


def at(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


class Noted:
    """Notes of a stream that begins at BEGIN."""

    def __init__(self, events: EventSettings, places: Sequence[str] = ()) -> None:
        self._registry = CollectorRegistry()
        metrics = StreamMetrics(self._registry, lambda: BEGIN, (), (), events.probe_seconds)
        self.notes = ProbeNotes(Settings(events=events), metrics, places, lambda: BEGIN)

    def station(self, name: str) -> float | None:
        return self._registry.get_sample_value("endcap_probe_timestamp_seconds", {"station": name})

    def partitions(self) -> dict[str, float]:
        samples = [sample for family in self._registry.collect() for sample in family.samples]
        return {
            each.labels["partition"]: each.value - BEGIN.timestamp()
            for each in samples
            if each.name == "endcap_stream_probe_partition_timestamp_seconds"
        }


def arrived(*probes: tuple[str, float]) -> Arrived:
    rows = [(place, at(made)) for place, made in probes]
    return Arrived(frame([]), [], {}, [], is_behind=False, probes=pl.DataFrame(rows, schema=PROBES_SCHEMA, orient="row"))


def test_partitions_that_were_read_before_are_missed_from_the_start_on() -> None:
    places = [f"{TOPIC}/0", f"{TOPIC}/7", f"{TOPIC}/identity", "endcap.impressions.v1/1"]
    assert Noted(KAFKA, places).partitions() == {"0": 0.0, "7": 0.0}
    assert Noted(KAFKA.model_copy(update={"probe_seconds": 0}), places).partitions() == {}


def test_each_partition_has_its_newest_probe_and_the_station_the_newest_of_all() -> None:
    noted = Noted(KAFKA, [f"{TOPIC}/0"])
    noted.notes.read(arrived((f"{TOPIC}/0", 10), (f"{TOPIC}/1", 30), (f"{TOPIC}/0", 20)))
    noted.notes.read(arrived((f"{TOPIC}/1", 25), (f"{TOPIC}/2", 5)))
    assert noted.partitions() == {"0": 20.0, "1": 30.0, "2": 5.0}
    assert (noted.station("read"), noted.station("stepped")) == (at(30).timestamp(), 0.0)
    noted.notes.stored(arrived((f"{TOPIC}/0", 20)))
    assert noted.station("stepped") == at(20).timestamp()


def test_files_of_the_local_log_are_no_partitions() -> None:
    noted = Noted(EventSettings(), ["20260301T080000-1"])
    noted.notes.read(arrived(("20260301T080000-1", 10)))
    assert (noted.partitions(), noted.station("read")) == ({}, at(10).timestamp())


def test_where_no_probe_came_nothing_is_noted() -> None:
    noted = Noted(KAFKA)
    noted.notes.read(arrived())
    noted.notes.stored(arrived())
    assert (noted.station("read"), noted.station("stepped")) == (0.0, 0.0)
