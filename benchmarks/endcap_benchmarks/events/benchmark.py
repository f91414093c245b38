"""The order of the benchmark: the collector alone, then all parts together, then the stream's functions, then what goes through Kafka."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from functools import partial
from typing import Any

from endcap.core.clock import system_clock
from endcap.core.settings import Settings
from endcap_benchmarks.events.collector_process import RunningCollector, running_collector
from endcap_benchmarks.events.deployment import Deployment
from endcap_benchmarks.events.options import BESIDE, CHANGED, COLLECTOR, CPU, HOSTILE, STREAM, Options
from endcap_benchmarks.events.pinned import on_core
from endcap_benchmarks.events.running_deployment import running_deployment
from endcap_benchmarks.events.scenarios.beside_events import beside_events
from endcap_benchmarks.events.scenarios.changed_answer import changed_answer
from endcap_benchmarks.events.scenarios.collector_alone import COLLECTOR_CORE, batches, batches_at_half, singles
from endcap_benchmarks.events.scenarios.event_cpu import event_cpu
from endcap_benchmarks.events.scenarios.hostile import zipped_zeros
from endcap_benchmarks.events.scenarios.stream_functions import ITEMS, MeasuredSteps, stream_functions
from endcap_benchmarks.events.stretches import EventStretches
from endcap_benchmarks.events.through_kafka import through_kafka
from endcap_benchmarks.narrator import Narrator, narrated
from endcap_benchmarks.program import Rows

Figures = dict[str, Any]


Alone = Callable[[RunningCollector], Figures]
Together = Callable[[Deployment], Figures]


def run_benchmark(settings: Settings, options: Options) -> Rows:
    """Measure everything that is asked for; one row of figures a run, as it ends.

    Raises:
        EndcapError: a part or a load process failed.
    """
    alone, together = _of_collector(options), _of_parts(options)
    sizes = options.sessions if STREAM in options.scenarios else ()
    with ExitStack() as stack:
        by_kafka = through_kafka(settings, options, stack)
        narrator = stack.enter_context(narrated(len(alone) + (len(together) + 1 if together else 0) + len(sizes) + len(by_kafka)))
        if alone:
            yield from _measured_alone(settings, alone, narrator, options.kafka)
        if together:
            yield from _measured_together(settings, options, together, narrator)
        if sizes:
            yield from _measured_functions(settings, options, sizes, narrator)
        yield from _measured_through_kafka(by_kafka, narrator)


def _measured_through_kafka(measures: dict[str, Callable[[], Figures]], narrator: Narrator) -> Iterator[Figures]:
    for name, run in measures.items():
        with narrator.step(name):
            yield run()


def _of_collector(options: Options) -> dict[str, Alone]:
    """What is measured of the collector alone, by name for the progress bar."""
    seconds = options.collector_seconds
    found: dict[str, Alone] = {}
    if COLLECTOR in options.scenarios:
        stretches = {"batches": batches, "batches at half": batches_at_half, "single events": singles}
        found |= {name: partial(_alone, stretch, seconds) for name, stretch in stretches.items()}
    if HOSTILE in options.scenarios:
        found["zipped zeros"] = zipped_zeros
    return found


def _of_parts(options: Options) -> dict[str, Together]:
    """What is measured of all parts together."""
    found: dict[str, Together] = {
        CPU: partial(event_cpu, rate=options.event_rate, seconds=options.cpu_seconds, idle_seconds=options.idle_seconds),
        CHANGED: partial(
            changed_answer,
            event_rate=options.event_rate,
            predict_rate=options.predict_rate,
            probes=options.probes,
            probe_rate=options.probe_rate,
        ),
        BESIDE: partial(
            beside_events,
            event_rate=options.event_rate,
            predict_rate=options.predict_rate,
            turns=options.turns,
            turn_seconds=options.turn_seconds,
        ),
    }
    return {name: run for name, run in found.items() if name in options.scenarios}


def _alone(stretch: Callable[[RunningCollector, EventStretches, float], Figures], seconds: float, collector: RunningCollector) -> Figures:
    return stretch(collector, EventStretches(collector.port, [f"I{number:06d}" for number in range(ITEMS)]), seconds)


def _measured_alone(settings: Settings, measures: dict[str, Alone], narrator: Narrator, kafka: str | None) -> Iterator[Figures]:
    with running_collector(settings.home.absolute() / "bench", on_core(COLLECTOR_CORE), kafka) as collector:
        for name, run in measures.items():
            with narrator.step(f"collector alone: {name}"):
                yield run(collector)


def _measured_together(settings: Settings, options: Options, measures: dict[str, Together], narrator: Narrator) -> Iterator[Figures]:
    with ExitStack() as stack:
        with narrator.step(f"{options.items:,} items: starting all parts"):
            deployment = stack.enter_context(running_deployment(settings, options, narrator.say))
        for name, run in measures.items():
            with narrator.step(f"all parts: {name}"):
                yield run(deployment)


def _measured_functions(settings: Settings, options: Options, sizes: Sequence[int], narrator: Narrator) -> Iterator[Figures]:
    steps, parent = MeasuredSteps(options.stream_steps), settings.home.absolute() / "bench"
    with closing(stream_functions(settings, parent, sizes, system_clock(), steps)) as by_size:
        for size in sizes:
            with narrator.step(f"stream functions: {size:,} sessions"):
                yield from next(by_size)
