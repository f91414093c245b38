"""What is measured by way of a Kafka that is started for it, with the in-process stream and with that on Spark; each run has its own."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from endcap.core.settings import Settings
from endcap_benchmarks.events.collector_process import running_collector
from endcap_benchmarks.events.kafka_topics import running_topics
from endcap_benchmarks.events.options import FRESHNESS, SPARK, TO_KAFKA, Options
from endcap_benchmarks.events.pinned import on_core
from endcap_benchmarks.events.running_deployment import ByKafka, running_deployment
from endcap_benchmarks.events.scenarios.changed_answer import changed_answer
from endcap_benchmarks.events.scenarios.collector_alone import COLLECTOR_CORE, batches, singles
from endcap_benchmarks.events.scenarios.spark_rate import fill_topic, spark_rate
from endcap_benchmarks.events.scenarios.stored_rows import PATIENCE_SECONDS, StreamUnderWatch, stored_rows
from endcap_benchmarks.events.scenarios.stream_functions import ITEMS
from endcap_benchmarks.events.spark_process import ROOT, SparkStream
from endcap_benchmarks.events.stream_process import running_stream
from endcap_benchmarks.events.stretches import EventStretches
from endcap_benchmarks.kafka.jars import broker_jars, connector_jars
from endcap_benchmarks.serving.home import HomeSize
from endcap_benchmarks.synthetic.made_users import publish_users

Figures = dict[str, Any]
MASTERS = ("local[1]", "local[2]")
BUCKETS = "4"
"""Two a core."""

RATE_BATCH = "10000"
"""Records of a batch while the rate is measured: small enough for several batches, too many for the driver."""

STORE = HomeSize(items=1_000, users=20)
SPARK_PYTHON = ROOT / ".venv-spark" / "bin" / "python"


@dataclass
class StoreHomes:
    """Homes with a feature store of few people, in which rows of visits come: made once, and copied.

    Attributes:
        parent: the folder that they are made in.
        stack: removes what was made.
    """

    parent: Path
    stack: ExitStack
    _made: Path | None = None

    @contextmanager
    def one(self) -> Iterator[Path]:
        """One of its own, removed afterwards."""
        if self._made is None:
            self._made = Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix="store-", dir=self.parent)))
            publish_users(Settings(home=self._made), STORE.catalogue(), STORE.users, STORE.seed)
        with tempfile.TemporaryDirectory(prefix="store-", dir=self.parent) as folder:
            yield Path(shutil.copytree(self._made, folder, dirs_exist_ok=True))


@dataclass(frozen=True)
class Parts:
    """What the programs are started from.

    Attributes:
        folder: on the disk of the home, where all of them write.
        broker: Kafka's jars.
        connector: jars of Spark's connector.
        homes: of the streams.
    """

    folder: Path
    broker: Path
    connector: Path
    homes: StoreHomes


def through_kafka(settings: Settings, options: Options, stack: ExitStack) -> dict[str, Callable[[], Figures]]:
    """What is asked for, by name for the progress bar; where something is missing, rows that say so.

    Args:
        settings: of the product; beside its home all is made.
        options: what is asked for.
        stack: removes what several runs use.
    """
    wanted = list(_wanted(settings, options))
    if not wanted:
        return {}
    (broker, no_broker), (connector, no_connector) = broker_jars(), connector_jars()
    folder = settings.home.absolute() / "bench"
    # What lacks its jars has a reason and is not run, so that it never looks where they would be.
    parts = Parts(folder, broker or folder, connector or folder, StoreHomes(folder, stack))
    found: dict[str, Callable[[], Figures]] = {}
    for each in wanted:
        reason = no_broker or (no_connector or _no_spark() if each.needs_spark else "")
        run = partial(_not_run, each.scenario, each.of, reason) if reason else partial(each.run, parts)
        found[f"{each.scenario}, {each.of}"] = run
    return found


_TO_KAFKA_ROW, _FRESHNESS_ROW, _ON_SPARK = "collector to Kafka", "freshness through Kafka", "stream on Spark"
_CHANGED_ROW = "changed answer through Kafka"
_IN_PROCESS = "in-process stream"


@dataclass(frozen=True)
class _Wanted:
    scenario: str
    of: str
    run: Callable[[Parts], Figures]
    needs_spark: bool = False


def _wanted(settings: Settings, options: Options) -> Iterator[_Wanted]:
    if TO_KAFKA in options.scenarios:
        for name, stretch in {"batches": batches, "single events": singles}.items():
            yield _Wanted(_TO_KAFKA_ROW, name, partial(_collector, stretch, options.collector_seconds))
    if FRESHNESS in options.scenarios:
        measured = {_FRESHNESS_ROW: partial(_fresh, options), _CHANGED_ROW: partial(_changed, settings, options)}
        for row, run in measured.items():
            for seconds in (None, *options.triggers):
                yield _Wanted(row, _stream_of(seconds), partial(run, seconds), needs_spark=seconds is not None)
    if SPARK in options.scenarios:
        for master in MASTERS:
            yield _Wanted(_ON_SPARK, master, partial(_rate, options, master), needs_spark=True)


def _not_run(scenario: str, of: str, reason: str) -> Figures:
    return {"scenario": scenario, "of": of, "not_run": reason}


def _no_spark() -> str:
    return "" if SPARK_PYTHON.is_file() else "no .venv-spark: make .venv-spark/.ready"


def _collector(stretch: Callable[..., Figures], seconds: float, parts: Parts) -> Figures:
    with (
        running_topics(parts.folder, parts.broker) as bootstrap,
        running_collector(parts.folder, on_core(COLLECTOR_CORE), bootstrap) as collector,
    ):
        figures = stretch(collector, EventStretches(collector.port, _items()), seconds)
    return {**figures, "scenario": _TO_KAFKA_ROW}


def _fresh(options: Options, trigger_seconds: float | None, parts: Parts) -> Figures:
    with (
        running_topics(parts.folder, parts.broker) as bootstrap,
        parts.homes.one() as home,
        _watched(home, bootstrap, trigger_seconds, parts) as stream,
        running_collector(parts.folder, kafka=bootstrap) as collector,
    ):
        return stored_rows(
            collector, stream, _items(), event_rate=options.event_rate, probes=options.stored_probes, probe_rate=options.stored_probe_rate
        )


def _changed(settings: Settings, options: Options, trigger_seconds: float | None, parts: Parts) -> Figures:
    with running_topics(parts.folder, parts.broker) as bootstrap:
        stream = None if trigger_seconds is None else partial(_triggered, bootstrap, trigger_seconds, parts)
        with running_deployment(settings, options, lambda _said: None, ByKafka(bootstrap, stream)) as deployment:
            figures = changed_answer(
                deployment,
                event_rate=options.event_rate,
                predict_rate=options.predict_rate,
                probes=options.stored_probes,
                probe_rate=options.probe_rate,
                patience_s=PATIENCE_SECONDS,
            )
    return {**figures, "scenario": _CHANGED_ROW, "of": _stream_of(trigger_seconds)}


def _stream_of(trigger_seconds: float | None) -> str:
    return _IN_PROCESS if trigger_seconds is None else f"{_ON_SPARK}, {MASTERS[-1]}, a batch each {trigger_seconds:g} s"


@contextmanager
def _watched(home: Path, bootstrap: str, trigger_seconds: float | None, parts: Parts) -> Iterator[StreamUnderWatch]:
    if trigger_seconds is None:
        with running_stream(home, bootstrap) as pid:
            yield StreamUnderWatch(_IN_PROCESS, pid, home)
        return
    with _triggered(bootstrap, trigger_seconds, parts, home) as stream:
        yield StreamUnderWatch(_stream_of(trigger_seconds), stream.pid, home)


@contextmanager
def _triggered(bootstrap: str, seconds: float, parts: Parts, home: Path, port: int | None = None) -> Iterator[SparkStream]:
    """The stream on Spark with a batch each so many seconds, once it has done one."""
    with tempfile.TemporaryDirectory(prefix="spark-", dir=parts.folder) as folder:
        given = ["--trigger-seconds", f"{seconds:g}"]
        stream = _on_spark(home, Path(folder), bootstrap, parts, MASTERS[-1], given, port)
        try:
            stream.await_ready()
            yield stream
        finally:
            stream.close()


def _rate(options: Options, master: str, parts: Parts) -> Figures:
    with running_topics(parts.folder, parts.broker) as bootstrap, parts.homes.one() as home:
        fill_topic(bootstrap, options.spark_events)
        stream = _on_spark(home, home / "spark", bootstrap, parts, master, ["--records-max", RATE_BATCH])
        try:
            return spark_rate(stream, master, options.spark_events, options.spark_seconds)
        finally:
            stream.close()


def _on_spark(  # noqa: PLR0917 - where everything is
    home: Path, folder: Path, bootstrap: str, parts: Parts, master: str, arguments: Sequence[str], port: int | None = None
) -> SparkStream:
    given = ["--buckets", BUCKETS, *arguments]
    return SparkStream(str(SPARK_PYTHON), home, folder, bootstrap, parts.connector, given, master=master, port=port)


def _items() -> list[str]:
    return [f"I{number:06d}" for number in range(ITEMS)]
