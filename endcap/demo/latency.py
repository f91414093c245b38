"""The demo's latency table: what a client waits for, and where the time goes."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from endcap.contracts.answer import Answer


def measure_latency(
    ask: Callable[[dict[str, Any]], Answer], instances: Sequence[dict[str, Any]], warm_up: int = 20
) -> list[dict[str, Any]]:
    """Send requests one after another and give a row a stage, with percentiles in milliseconds.

    Args:
        ask: sends one instance and waits for its answer.
        instances: the requests; the first `warm_up` are sent once more beforehand and not counted.
    """
    for instance in instances[:warm_up]:
        ask(instance)
    stages: dict[str, list[float]] = {}
    for instance in instances:
        started = time.perf_counter()
        answer = ask(instance)
        stages.setdefault("whole request, seen by the client", []).append((time.perf_counter() - started) * 1000)
        for stage, spent_ms in answer.timings_ms.items():
            stages.setdefault(stage, []).append(spent_ms)
    whole = stages.pop("whole request, seen by the client")
    rows = [_row(name, values) for name, values in stages.items() if name != "total"]
    return [*rows, _row("whole request, seen by the client", whole)]


def _row(stage: str, values_ms: Sequence[float]) -> dict[str, Any]:
    p50, p95, p99 = np.percentile(values_ms, [50, 95, 99])
    return {"stage": stage, "p50 ms": round(float(p50), 2), "p95 ms": round(float(p95), 2), "p99 ms": round(float(p99), 2)}
