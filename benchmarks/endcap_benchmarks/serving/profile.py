"""Where the transformer's CPU time goes: the sampled stacks of one stretch of load as two tables."""

import json
import signal
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from endcap.core.polling import poll
from endcap_benchmarks.serving.stage import Stage
from endcap_benchmarks.serving.summary import TRANSFORMER, summary

ROWS = 40
OWN = ("endcap_transformer.", "endcap.")
SAMPLER = ":StackSampler."
WAIT_SECONDS = 5.0

Stack = tuple[str, ...]


def profiled(stage: Stage, path: Path, rate: float, seconds: float) -> dict[str, Any]:
    """Load at `rate` on a transformer that is `endcap_benchmarks.serving.profiled_transformer`.

    Args:
        path: of the file it writes.
    """
    process = stage.parts.processes()[TRANSFORMER]
    before = _snapshot(process, path)
    stretch = stage.open_loop("http", rate, seconds)
    used = _snapshot(process, path)
    used.subtract(before)
    requests = len(stretch.exchanges)
    return {
        "scenario": "profile",
        "items": stage.items,
        "protocol": "http",
        "rate": rate,
        **summary(stretch),
        "cpu_ms_by_library": _a_request(by_library(used), requests),
        "cpu_ms_by_own_function": _a_request(by_own_function(used), requests),
        "cpu_ms_by_innermost": _a_request(by_innermost(used), requests),
    }


def by_library(used: Mapping[Stack, float]) -> dict[str, float]:
    """Seconds by the top-level package of the innermost frame; the standard library is `python`."""
    total: dict[str, float] = defaultdict(float)
    for stack, seconds in used.items():
        total[_library(stack[-1])] += seconds
    return total


def by_own_function(used: Mapping[Stack, float]) -> dict[str, float]:
    """Seconds below each of endcap's own functions, what they call included."""
    total: dict[str, float] = defaultdict(float)
    for stack, seconds in used.items():
        for name in {name for name in stack if name.startswith(OWN)}:
            total[name] += seconds
    return total


def by_innermost(used: Mapping[Stack, float]) -> dict[str, float]:
    """Seconds by the function that ran, or that called into C."""
    total: dict[str, float] = defaultdict(float)
    for stack, seconds in used.items():
        total[stack[-1]] += seconds
    return total


def _snapshot(process: psutil.Process, path: Path) -> Counter[Stack]:
    before = path.stat().st_mtime_ns if path.exists() else 0
    process.send_signal(signal.SIGUSR1)
    poll(lambda: path.exists() and path.stat().st_mtime_ns != before, every_s=0.05, within_s=WAIT_SECONDS)
    rows: Sequence[tuple[float, Sequence[str]]] = json.loads(path.read_text(encoding="utf-8"))
    return Counter({tuple(stack): seconds for seconds, stack in rows if not any(SAMPLER in name for name in stack)})


def _a_request(total: Mapping[str, float], requests: int) -> dict[str, float]:
    return {
        name: round(seconds * 1000 / requests, 4)
        for name, seconds in sorted(total.items(), key=lambda each: -each[1])[:ROWS]
        if seconds > 0
    }


def _library(name: str) -> str:
    package = name.partition(":")[0].partition(".")[0]
    return "python" if package in sys.stdlib_module_names else package
