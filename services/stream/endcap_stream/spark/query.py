"""The query: batch after batch from Kafka, each done once, its rows delivered, its numbers shown."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from endcap.core.log import get_logger
from endcap.events.probes.stations import Station
from endcap.events.stream.counting import LeftOut
from endcap.events.stream.delivery import Delivery
from endcap.events.stream.driver import Taken
from endcap.events.stream.function import Instant
from endcap_stream.metrics import StreamMetrics
from endcap_stream.spark.batch_run import BatchRun
from endcap_stream.spark.stages.judging import PLACEHOLDERS
from endcap_stream.spark.stages.keying import TAKEN
from endcap_stream.spark.stages.reading import BROKEN
from endcap_stream.spark.storage.batch_record import BatchRecord
from endcap_stream.spark.storage.done_batches import DoneBatches

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.streaming import StreamingQuery

_LOOK_SECONDS = 0.2
_SETTLE_SECONDS = 5.0


@dataclass(slots=True)
class Batches:
    """What Spark calls with each micro-batch.

    A batch that comes again after its record was written is not done again: its rows are delivered as far as their sinks lack them.

    Attributes:
        run: does batches.
        done: those that are done.
        metrics: where they are counted.
        timer: monotonic seconds.
        is_ready: whether the newest batch was done.
    """

    run: BatchRun
    done: DoneBatches
    metrics: StreamMetrics
    timer: Callable[[], float]
    lock: threading.Lock
    is_ready: bool = False

    def take(self, values: "DataFrame", number: int) -> None:
        """Do one batch.

        Raises:
            InvalidInput: the state does not fit the checkpoint.
            DependencyUnavailable: the state cannot be read or written.
        """
        began = self.timer()
        try:
            record = self.run.run(number, values)
        except BaseException:
            self.is_ready = False
            self.metrics.failures.inc()
            raise
        with self.lock:
            self.done.add(record)
            self.done.remove_old()
        self.metrics.count(taken_of(record))
        if record.newest_probe is not None:
            # A batch is read and stored as one.
            for station in (Station.READ, Station.STEPPED):
                self.metrics.stations.note(station, record.newest_probe)
        self.metrics.step_seconds.observe(self.timer() - began)
        if not record.is_behind:
            self.metrics.read_until(record.now)
        elif record.received_at is not None:
            self.metrics.read_until(record.received_at)
        self.is_ready = True

    def deliver(self, delivery: Delivery, query: "StreamingQuery", stop: threading.Event) -> None:
        """Hand over rows until the query ends or `stop` is set; what waits then is delivered as far as there is time.

        Raises:
            StreamingQueryException: the query failed.
        """
        delivery.open_sinks()
        try:
            while query.isActive and not stop.wait(_LOOK_SECONDS):
                with self.lock:
                    delivery.hand_over()
                    for name, outbox in self.done.outboxes.items():
                        self.metrics.waiting.labels(name).set(outbox.waiting())
            query.stop()
            with self.lock:
                delivery.settle(_SETTLE_SECONDS)
        finally:
            delivery.close()
        failure: Any = query.exception()
        if failure is not None:
            get_logger("stream").error("the query failed", reason=str(failure).splitlines()[0])
            raise failure


def taken_of(record: BatchRecord) -> Taken:
    """What a batch did, as the in-process stream counts it."""
    counts = record.counts
    return Taken(
        events=counts.get(TAKEN, 0),
        left_out={reason: counts.get(reason, 0) for reason in LeftOut},
        placeholder_ids=counts.get(PLACEHOLDERS, 0),
        broken=counts.get(BROKEN, 0),
        failed=record.failed,
        at=Instant(record.present, record.watermark),
    )
