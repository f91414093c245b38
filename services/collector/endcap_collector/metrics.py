"""What the collector shows to Prometheus."""

from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from endcap.contracts.dead_letter import DeadLetterKind
from endcap.core.clock import Clock, system_clock
from endcap.core.metric_description import MetricDescription
from endcap.events.acceptance.acceptance import Accepted
from endcap.events.probes import stations as probes
from endcap.events.probes.stations import ProbeStations, Station
from endcap_collector.spool.backlog import Backlog

SECONDS_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class CollectorMetrics:
    """Everything one collector counts.

    Args:
        registry: where it is registered; a registry takes it once.

    Attributes:
        described: all of it, in the order of the documentation.
        stations: where probes are noted.
    """

    stations: ProbeStations

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self.described: list[MetricDescription] = []
        self.accepted = self._counter("endcap_collector_events_accepted", "Events stored.", "event_type")
        self.refused = self._counter("endcap_collector_events_refused", "Dead letters, by kind.", "kind")
        self.duplicates = self._counter("endcap_collector_events_duplicate", "Events that were stored before.")
        self.placeholder_ids = self._counter(
            "endcap_collector_placeholder_ids", "Stored events with a user id that stands for none, such as undefined."
        )
        self.items_accepted = self._counter("endcap_collector_items_accepted", "Changes of items stored, by kind: update or item.", "kind")
        self.items_refused = self._counter("endcap_collector_items_refused", "Changes of items that were not taken.")
        self.requests = self._counter("endcap_collector_requests", "Requests, by path and status.", "path", "status")
        self.request_seconds = self._histogram("endcap_collector_request_seconds", "Time from a request's first line to its answer.")
        self.sync_seconds = self._histogram("endcap_collector_sync_seconds", "Time of writing a group of requests to the disk.")
        self.in_flight = self._gauge("endcap_collector_in_flight_requests", "Requests in work.")
        self.keys_ok = self._gauge("endcap_collector_keys_ok", "1 when the file of keys on disk is in force, 0 when it was refused.")
        self.spool_limit = self._gauge("endcap_collector_spool_limit_bytes", "Bytes that may wait for Kafka; 0 where none is set.")
        self.waiting_bytes = self._gauge("endcap_collector_spool_waiting_bytes", "Bytes on the disk that Kafka did not confirm.", "log")
        self.waiting_events = self._gauge("endcap_collector_spool_waiting_events", "The same in lines: events, letters, changes.", "log")
        self.oldest_seconds = self._gauge("endcap_collector_spool_oldest_seconds", "Time since the first of those came.", "log")
        self.kafka_confirmed = self._counter("endcap_collector_kafka_confirmed", "Messages that Kafka confirmed.", "log")
        self.kafka_unframed = self._counter(
            "endcap_collector_kafka_unframed", "Messages without a schema's frame, though a schema registry is set.", "log"
        )
        self.kafka_refused = self._counter(
            "endcap_collector_kafka_refused", "Messages that Kafka refused, each time that it did, by reason.", "log", "reason"
        )
        self._probe_moments = self._gauge(probes.TIME_METRIC, probes.TIME_MEANING, "station")
        self._probe_delays = self._histogram(probes.DELAY_METRIC, probes.DELAY_MEANING, "station", buckets=probes.DELAY_BUCKETS_S)
        self._probe_interval = self._gauge(probes.INTERVAL_METRIC, probes.INTERVAL_MEANING)
        self.show_probes((), 0.0, system_clock)
        for kind in DeadLetterKind:
            self.refused.labels(kind.value)

    def count_accepted(self, event: Accepted) -> None:
        """Count an event that is stored."""
        self.accepted.labels(event.event_type.value).inc()
        if event.has_placeholder:
            self.placeholder_ids.inc()

    def show_probes(self, stations: Iterable[Station], every_seconds: float, clock: Clock) -> None:
        """Show the stations of probes, from now on.

        Args:
            stations: that this collector has.
            every_seconds: between two probes; 0 for none.
            clock: the present, UTC.
        """
        self._probe_interval.set(every_seconds)
        self.stations = ProbeStations.shown_by(self._probe_moments, self._probe_delays, stations, clock)

    def show_backlog(self, log: str, backlog: Backlog, clock: Clock) -> None:
        """Show what of a log waits, from now on."""
        self.waiting_bytes.labels(log).set_function(lambda: backlog.bytes)
        self.waiting_events.labels(log).set_function(lambda: backlog.lines)
        self.oldest_seconds.labels(log).set_function(lambda: backlog.oldest_seconds(clock()))
        self.kafka_confirmed.labels(log)

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        self.described.append(MetricDescription(f"{name}_total", "counter", labels, meaning))
        return Counter(name, meaning, labels, registry=self._registry)

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        self.described.append(MetricDescription(name, "gauge", labels, meaning))
        return Gauge(name, meaning, labels, registry=self._registry)

    def _histogram(self, name: str, meaning: str, *labels: str, buckets: Sequence[float] = SECONDS_BUCKETS) -> Histogram:
        self.described.append(MetricDescription(name, "histogram", labels, meaning))
        return Histogram(name, meaning, labels, registry=self._registry, buckets=buckets)
