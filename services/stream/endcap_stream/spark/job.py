"""The stream as a Spark application."""

import argparse
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING
from uuid import UUID

from prometheus_client import CollectorRegistry

from endcap.core.clock import system_clock
from endcap.core.errors import EndcapError
from endcap.core.log import configure_logging, get_logger
from endcap.core.settings import Settings, load_settings
from endcap.core.standard_logging import bridge_standard_logging
from endcap.events.dead_letters.sealing import dead_letter_seal
from endcap.events.outcomes.journal_store import JournalStore
from endcap.events.outcomes.windows import Windows
from endcap.events.probes.stations import ProbeStations
from endcap.events.stream.bots import BotRules
from endcap.events.stream.buried import LETTERS, LetterSink
from endcap.events.stream.delivery import Delivery
from endcap.events.stream.subscription import Sink, Subscription
from endcap_stream.beside_events import beside_events
from endcap_stream.endpoints import serving
from endcap_stream.functions import online_sinks, subscriptions
from endcap_stream.metrics import StreamMetrics
from endcap_stream.outcome_metrics import OutcomeCollector
from endcap_stream.probed_sink import probed
from endcap_stream.sole_writer import sole_writer
from endcap_stream.spark.batch_run import BatchLimits, BatchRun
from endcap_stream.spark.kafka_source import client_options, read_stream
from endcap_stream.spark.query import Batches
from endcap_stream.spark.session import open_session
from endcap_stream.spark.spread_sink import SpreadSink
from endcap_stream.spark.stages.work import Listener, Work
from endcap_stream.spark.storage.batch_record import BatchRecords
from endcap_stream.spark.storage.done_batches import DoneBatches
from endcap_stream.spark.storage.state_folder import StateFolder

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.streaming import StreamingQuery

APPLICATION = "endcap-stream"
OWN_FOLDER = "spark"
"""Below the stream's folder: what goes with a state of Spark's, and not with that of an in-process stream."""
_TRIGGER_SECONDS_MIN = 0.1
"""Each trigger begins a batch, though nothing came."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run until SIGTERM with the session that spark-submit configured; returns the exit code, which is the error's own.

    Example: spark-submit stream_on_spark.py --checkpoint s3a://shop/stream/checkpoint --state /mnt/stream
    """
    given = _arguments(sys.argv[1:] if argv is None else argv)
    settings = load_settings()
    configure_logging(settings.log_level, settings.log_format)
    bridge_standard_logging("stream", {})
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    session = open_session(APPLICATION)
    try:
        StreamApplication(session, settings, given).run(stop)
    except EndcapError as error:
        get_logger("stream").error("the stream ends", error=str(error))
        return error.exit_code
    finally:
        session.stop()
    return 0


class StreamApplication:
    """One query with its sinks and endpoints.

    Args:
        session: Spark's.
        settings: all settings.
        given: the application's arguments.
    """

    def __init__(self, session: "SparkSession", settings: Settings, given: argparse.Namespace) -> None:
        self._session, self._settings, self._given = session, settings, given
        self._registry = CollectorRegistry()

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set, as soon as no other stream writes the home folder.

        Raises:
            InvalidInput: a setting is wrong, or the state does not fit the checkpoint.
            DependencyUnavailable: the port, Kafka's connector or the state cannot be had.
        """
        chosen = self._settings.stream
        begun: Future[Batches] = Future()
        with (
            serving(chosen.host, chosen.port, self._registry, lambda: begun.done() and begun.result().is_ready),
            sole_writer(self._settings.outcomes_dir, stop) as is_sole,
        ):
            if is_sole:
                self._follow(begun, stop)

    def _follow(self, begun: "Future[Batches]", stop: threading.Event) -> None:
        settings = self._settings
        outcomes = JournalStore(settings.outcomes_dir, Windows.of(settings.outcomes))
        self._registry.register(OutcomeCollector(outcomes.totals))
        runs = subscriptions(settings, system_clock, outcomes, settings.stream_dir / OWN_FOLDER)
        names = [each.function.name for each in runs]
        metrics = StreamMetrics(self._registry, system_clock, names, (*names, LETTERS), settings.events.probe_seconds)
        sinks = self._sinks(runs, metrics.stations)
        values = read_stream(self._session, settings.events, self._given.records_max, client_options(self._given.kafka_options))
        every = {each.function.name: each.deliver_every for each in runs}
        with beside_events(settings, outcomes, metrics, stop):
            query = self._started(values, begun)
            batches = self._batches(UUID(query.id), runs, metrics)
            begun.set_result(batches)
            outboxes = batches.done.outboxes
            delivery = Delivery(outboxes, sinks, lambda name: metrics.undelivered.labels(name).inc(), time.monotonic, every)
            batches.deliver(delivery, query, stop)

    def _sinks(self, runs: Sequence[Subscription], stations: ProbeStations) -> Mapping[str, Sink]:
        """By name of what goes there; executors write those of the online store."""
        settings, context = self._settings, self._session.sparkContext
        online = online_sinks(settings, system_clock)
        sinks: dict[str, Sink] = {LETTERS: LetterSink(settings.dead_letter_dir)}
        for each in runs:
            name = each.function.name
            opened = partial(_online_sink, settings, name)
            spread = SpreadSink(context, each.sink, opened, context.defaultParallelism) if name in online else None
            sinks[name] = probed(each, stations, spread)
        return sinks

    def _started(self, values: "DataFrame", begun: "Future[Batches]") -> "StreamingQuery":
        """The query, whose first batch waits until it is known what does it."""

        def take(batch: "DataFrame", number: int) -> None:
            begun.result().take(batch, number)

        writer = values.writeStream.queryName(APPLICATION).foreachBatch(take)
        every = f"{round(1000 * self._given.trigger_seconds)} milliseconds"
        return writer.option("checkpointLocation", self._given.checkpoint).trigger(processingTime=every).start()

    def _batches(self, query: UUID, runs: Sequence[Subscription], metrics: StreamMetrics) -> Batches:
        settings, chosen, given = self._settings, self._settings.stream, self._given
        work = Work(
            listeners=[Listener(each.function, each.consent) for each in runs],
            folder=StateFolder(given.state),
            buckets=given.buckets,
            seal=dead_letter_seal(settings, may_make=settings.profile == "local"),
            delay=timedelta(seconds=chosen.watermark_seconds),
            bots=BotRules.of(chosen),
        )
        records = BatchRecords(work.folder, str(query), work.buckets)
        done = DoneBatches(work.folder, records, [each.function for each in runs])
        probe_rows = {each.function.name: each.probe.of for each in runs if each.probe is not None}
        limits = BatchLimits(given.records_max, given.driver_records_max)
        run = BatchRun(self._session, work, records, system_clock, limits, probe_rows)
        return Batches(run, done, metrics, time.monotonic, Lock())


def _online_sink(settings: Settings, name: str) -> Sink:
    """Opened in an executor."""
    return online_sinks(settings, system_clock)[name]()


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=APPLICATION, description="The stream of endcap on Spark; all else is in ENDCAP_* variables.")
    parser.add_argument("--checkpoint", required=True, help="folder or address of Spark's checkpoint of the query")
    parser.add_argument("--state", required=True, help="folder or address that driver and executors reach; it goes with the checkpoint")
    parser.add_argument("--buckets", type=_positive, default=8, help="parts that keys are spread over; two a core of the executors")
    parser.add_argument("--trigger-seconds", type=_seconds, default=1.0, help="between the beginnings of two batches")
    parser.add_argument("--records-max", type=_positive, default=20_000, help="of one batch, over all topics")
    driver_records = "of a batch that the driver computes itself; larger ones are computed by executors, with 0 all"
    parser.add_argument("--driver-records-max", type=_not_negative, default=5_000, help=driver_records)
    parser.add_argument("--kafka-options", type=Path, help="settings of Kafka's Java client (TLS, SASL), `name=value` a line")
    return parser.parse_args(argv)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not _TRIGGER_SECONDS_MIN <= seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"give {_TRIGGER_SECONDS_MIN:g} or more")
    return seconds


def _not_negative(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("give a number, 0 or more")
    return number


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("give a number above 0")
    return number
