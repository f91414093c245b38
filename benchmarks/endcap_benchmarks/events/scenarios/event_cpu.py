"""What an event costs: CPU time of collector and stream under a steady load of events, without that of idling."""

import time
from itertools import pairwise
from typing import Any

import numpy as np

from endcap_benchmarks.events.deployment import CpuReading, Deployment, cpu_reading
from endcap_benchmarks.events.intervals import mean_interval
from endcap_benchmarks.events.load.plan import SentEvents
from endcap_benchmarks.events.stretches import SEND_MODULE
from endcap_benchmarks.serving.load.process import load_process

SLICE_SECONDS = 5.0
AFTER_SECONDS = 3.0
"""For what the stream delivers a while after it took the last event."""


def event_cpu(deployment: Deployment, rate: float, seconds: float, idle_seconds: float) -> dict[str, Any]:
    """CPU seconds a thousand events by process: of single events at `rate` a second, until the stream has taken them all.

    The interval is of the load's slices of five seconds, by bootstrap.
    """
    processes = deployment.event_processes()
    readings = [cpu_reading(processes)]
    time.sleep(idle_seconds)
    readings.append(cpu_reading(processes))
    idle = _cores(*readings)
    taken_before = deployment.taken()
    with load_process(SEND_MODULE, deployment.events.open_loop(rate, seconds)) as load:
        slices = [cpu_reading(processes)]
        load.go()
        for _ in range(max(round(seconds / SLICE_SECONDS), 1)):
            time.sleep(min(SLICE_SECONDS, seconds))
            slices.append(cpu_reading(processes))
        load.await_sent()
        sent = SentEvents.read(load.finish())
    accepted = int(sent.accepted.sum())
    is_all_taken = deployment.await_taken(taken_before + accepted)
    time.sleep(AFTER_SECONDS)
    whole = _above(idle, slices[0], cpu_reading(processes))
    parts = {name: [_above(idle, *pair)[name] for pair in pairwise(slices)] for name in processes}
    a_slice = rate * min(SLICE_SECONDS, seconds) / 1000
    return {
        "scenario": "cpu of events",
        "of": f"{deployment.stage.items:,} items",
        "rate": rate,
        "seconds": seconds,
        "events": accepted,
        "not_accepted": len(sent.status) - accepted,
        "all_taken_by_stream": is_all_taken,
        "cpu_s_a_thousand": {name: round(whole[name] / max(accepted, 1) * 1000, 3) for name in processes},
        "cpu_s_a_thousand_interval": {name: mean_interval(np.array(parts[name]) / a_slice) for name in processes},
        "slices": len(slices) - 1,
        "idle_cores": {name: round(idle[name], 4) for name in processes},
        "idle_seconds": idle_seconds,
    }


def _cores(first: CpuReading, last: CpuReading) -> dict[str, float]:
    return {name: (last.cpu_s[name] - first.cpu_s[name]) / (last.at_s - first.at_s) for name in first.cpu_s}


def _above(idle: dict[str, float], first: CpuReading, last: CpuReading) -> dict[str, float]:
    """CPU seconds between two readings, less those of idling for as long."""
    seconds = last.at_s - first.at_s
    return {name: last.cpu_s[name] - first.cpu_s[name] - idle[name] * seconds for name in first.cpu_s}
