"""What the stream shows to Prometheus."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from endcap.core.clock import Clock
from endcap.core.metric_description import MetricDescription
from endcap.events.probes import stations as probes
from endcap.events.probes.stations import ProbeStations, Station
from endcap.events.stream.counting import LeftOut
from endcap.events.stream.driver import Taken

EVENTS_LOG, CATALOGUE_LOG = "events", "catalogue"
"""Values of the label `log`."""

SECONDS_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class StreamMetrics:
    """Everything one stream counts.

    Args:
        registry: where it is registered; a registry takes it once.
        clock: the present, UTC.
        functions: names of the functions.
        sinks: names of what rows are delivered of.
        probe_seconds: between two probes, by the settings; without them their stations are not shown.

    Attributes:
        described: all of it, in the order of the documentation.
    """

    def __init__(
        self, registry: CollectorRegistry, clock: Clock, functions: Iterable[str], sinks: Iterable[str], probe_seconds: float = 0.0
    ) -> None:
        self._registry, self._clock = registry, clock
        self._read_until = clock()
        self.described: list[MetricDescription] = []
        self.taken = self._counter("endcap_stream_events_taken", "Events that count.")
        self.left_out = self._counter("endcap_stream_events_left_out", "Events that do not count, by reason.", "reason")
        self.rejected = self._counter("endcap_stream_events_rejected", "Lines of the log that are no events; they are dead letters.")
        self.failed = self._counter("endcap_stream_events_failed", "Events that a function failed on; they are dead letters.", "function")
        self.placeholder_ids = self._counter("endcap_stream_placeholder_ids", "Events with an id that stands for none, such as undefined.")
        self.item_changes = self._counter("endcap_stream_item_changes_taken", "Changes of items that count.")
        self.item_changes_rejected = self._counter(
            "endcap_stream_item_changes_rejected", "Lines of the catalogue's log that are no changes."
        )
        self.waiting_items = self._gauge(
            "endcap_catalogue_waiting_items", "Items that wait for the next training, new to the served bundle."
        )
        self.failures = self._counter("endcap_stream_failures", "Steps that failed and are done again, as when the disk is full.")
        self.undelivered = self._counter("endcap_stream_delivery_failures", "Deliveries that failed and come again.", "sink")
        self.forgotten = self._counter(
            "endcap_stream_rows_forgotten", "Times that a sink lacked rows which it had taken, and got all again.", "sink"
        )
        self.waiting = self._gauge("endcap_stream_waiting_rows", "Rows that their sink does not have yet.", "sink")
        self.lag = self._gauge("endcap_stream_lag_seconds", "Time since the arrival of the newest event up to which all is taken.")
        self.watermark = self._gauge("endcap_stream_watermark_timestamp_seconds", "Events from before this moment are late.")
        self.step_seconds = self._histogram("endcap_stream_step_seconds", "Time of a step, from the log to the stored state.")
        self.cut_off = self._gauge("endcap_stream_cut_off", "1 while a topic, or a partition of one, does not answer.", "log")
        self.kafka_lost = self._counter("endcap_stream_kafka_lost", "Messages that Kafka deleted before they were read.", "topic")
        self.kafka_null = self._counter("endcap_stream_kafka_null", "Messages without a value, which are passed over.", "topic")
        self.probe_partitions = self._gauge(
            "endcap_stream_probe_partition_timestamp_seconds",
            "When the newest probe read from a partition of the events' topic was made; the start of the stream before one came.",
            "partition",
        )
        self._probes(clock, probe_seconds)
        self.lag.set_function(self._lag)
        for log in (EVENTS_LOG, CATALOGUE_LOG):
            self.cut_off.labels(log).set(0)
        for reason in LeftOut:
            self.left_out.labels(reason.value)
        for name in functions:
            self.failed.labels(name)
        for name in sinks:
            self.undelivered.labels(name)
            self.forgotten.labels(name)
            self.waiting.labels(name).set(0)

    def _probes(self, clock: Clock, every_seconds: float) -> None:
        moments = self._gauge(probes.TIME_METRIC, probes.TIME_MEANING, "station")
        delays = self._histogram(probes.DELAY_METRIC, probes.DELAY_MEANING, "station", buckets=probes.DELAY_BUCKETS_S)
        self._gauge(probes.INTERVAL_METRIC, probes.INTERVAL_MEANING).set(every_seconds)
        stations = (Station.READ, Station.STEPPED, Station.ONLINE_STORE) if every_seconds else ()
        self.stations = ProbeStations.shown_by(moments, delays, stations, clock)

    def show_topic(self, topic: str) -> None:
        """Show a topic's counters from the start, at zero."""
        self.kafka_lost.labels(topic)
        self.kafka_null.labels(topic)

    def count(self, taken: Taken) -> None:
        """Count what a step did."""
        self.taken.inc(taken.events)
        self.rejected.inc(taken.broken)
        self.placeholder_ids.inc(taken.placeholder_ids)
        self.watermark.set(taken.at.watermark.timestamp())
        for reason, events in taken.left_out.items():
            self.left_out.labels(reason.value).inc(events)
        for name, events in taken.failed.items():
            self.failed.labels(name).inc(events)

    def read_until(self, moment: datetime) -> None:
        """All that arrived by then is taken."""
        self._read_until = moment

    def _lag(self) -> float:
        return max(0.0, (self._clock() - self._read_until).total_seconds())

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        self.described.append(MetricDescription(f"{name}_total", "counter", labels, meaning))
        return Counter(name, meaning, labels, registry=self._registry)

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        self.described.append(MetricDescription(name, "gauge", labels, meaning))
        return Gauge(name, meaning, labels, registry=self._registry)

    def _histogram(self, name: str, meaning: str, *labels: str, buckets: Sequence[float] = SECONDS_BUCKETS) -> Histogram:
        self.described.append(MetricDescription(name, "histogram", labels, meaning))
        return Histogram(name, meaning, labels, registry=self._registry, buckets=buckets)
