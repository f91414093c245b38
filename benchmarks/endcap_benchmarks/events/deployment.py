"""All parts of a local deployment, and what the stream has taken of what the collector accepted."""

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psutil

from endcap.core.errors import EndcapError
from endcap.core.polling import poll
from endcap_benchmarks.events.stretches import EventStretches
from endcap_benchmarks.serving.parts import STREAM_PORT
from endcap_benchmarks.serving.stage import Stage
from endcap_benchmarks.serving.usage import metric, scrape

COLLECTOR, STREAM = "collector", "stream"
TAKEN = ("endcap_stream_events_taken_total", "endcap_stream_events_left_out_total")
LOOK_EVERY_SECONDS = 0.2
BEHIND_SECONDS_MAX = 60.0
QUIET_SECONDS = 1.0


@dataclass(frozen=True)
class Deployment:
    """Attributes:
    stage: the running parts and stretches of predict requests.
    events: stretches of events for their collector.
    """

    stage: Stage
    events: EventStretches

    def event_processes(self) -> dict[str, psutil.Process]:
        """Collector and stream.

        Raises:
            EndcapError: one of them is not there.
        """
        running = self.stage.parts.processes()
        missing = [name for name in (COLLECTOR, STREAM) if name not in running]
        if missing:
            raise EndcapError("does not run", field=missing[0], fix=f"see {self.stage.parts.home / 'logs'}")
        return {name: running[name] for name in (COLLECTOR, STREAM)}

    def taken(self) -> float:
        """Events that the stream has read since it started, those that it left out among them."""
        shown = scrape(self.stage.parts.ports[STREAM_PORT])
        return sum(metric(shown, name) or 0.0 for name in TAKEN)

    def await_taken(self, events: float) -> bool:
        """Wait until the stream has read so many since it started; whether it has."""
        return bool(poll(lambda: self.taken() >= events, every_s=LOOK_EVERY_SECONDS, within_s=BEHIND_SECONDS_MAX))

    def await_quiet(self) -> bool:
        """Wait until the stream reads nothing more; whether that is so."""
        seen = [self.taken()]

        def is_quiet() -> bool:
            time.sleep(QUIET_SECONDS)
            seen.append(self.taken())
            return seen[-1] == seen[-2]

        return bool(poll(is_quiet, every_s=LOOK_EVERY_SECONDS, within_s=BEHIND_SECONDS_MAX))


@dataclass(frozen=True)
class CpuReading:
    """Seconds of CPU by process at a moment, in seconds of a clock that never goes back."""

    at_s: float
    cpu_s: Mapping[str, float]


def cpu_reading(processes: Mapping[str, psutil.Process]) -> CpuReading:
    """User and system time of processes and of all that they started."""
    return CpuReading(time.perf_counter(), {name: _with_children_s(process) for name, process in processes.items()})


def _with_children_s(process: psutil.Process) -> float:
    times = [process.cpu_times(), *(found for each in process.children(recursive=True) if (found := _times(each)))]
    return float(sum(each.user + each.system + each.children_user + each.children_system for each in times))


def _times(process: psutil.Process) -> Any:
    """None of a process that ended just now: whoever waited for it has its times."""
    with suppress(psutil.NoSuchProcess):
        return process.cpu_times()
    return None
