"""CPU time and memory by process, and what the rest of the machine did meanwhile."""

import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass

import httpx
import psutil

OWN_CPU_METRIC = "endcap_own_cpu_seconds_total"
CANDIDATES_METRIC = "endcap_ranked_candidates"
LOAD = "load generator"
_MIB = 1024 * 1024


@dataclass(frozen=True)
class Reading:
    """Clocks at one moment: seconds of CPU by process, of the whole machine, and of endcap's own stages where that is counted."""

    at_s: float
    cpu_s: Mapping[str, float]
    machine_s: float
    own_s: float | None


@dataclass(frozen=True)
class Usage:
    """Between two readings.

    Attributes:
        seconds: length.
        cpu_s: CPU seconds by process.
        other_cpu_s: CPU seconds of everything else on the machine, benchmarks' own controller included.
        own_s: CPU seconds of endcap's own stages in the transformer, None where they are not counted.
        load_average: of the last minute, at the end.
    """

    seconds: float
    cpu_s: Mapping[str, float]
    other_cpu_s: float
    own_s: float | None
    load_average: float


def reading(processes: Mapping[str, psutil.Process], http_port: int) -> Reading:
    cpu = {name: _cpu_s(process) for name, process in processes.items()}
    machine = psutil.cpu_times()
    busy = sum(machine) - machine.idle - getattr(machine, "iowait", 0.0) - getattr(machine, "guest", 0.0)
    return Reading(time.perf_counter(), cpu, busy, own_cpu_s(http_port))


def between(first: Reading, last: Reading) -> Usage:
    cpu = {name: last.cpu_s[name] - first.cpu_s[name] for name in first.cpu_s}
    own = None if first.own_s is None or last.own_s is None else last.own_s - first.own_s
    return Usage(
        seconds=last.at_s - first.at_s,
        cpu_s=cpu,
        other_cpu_s=max(last.machine_s - first.machine_s - sum(cpu.values()), 0.0),
        own_s=own,
        load_average=os.getloadavg()[0],
    )


def memory_mib(processes: Mapping[str, psutil.Process]) -> dict[str, dict[str, float]]:
    """Resident and proportional set size by process; shared pages count once among the processes that share them in the latter."""
    sizes = {}
    for name, process in processes.items():
        full = process.memory_full_info()
        sizes[name] = {"rss": round(full.rss / _MIB, 1), "pss": round(full.pss / _MIB, 1)}
    return sizes


def own_cpu_s(http_port: int) -> float | None:
    """What the transformer counts as its own stages' CPU time, None when it does not."""
    value = metric(scrape(http_port), OWN_CPU_METRIC)
    return value if value else None


def candidates_mean(before: str, after: str) -> float | None:
    """Candidates a ranked list between two scrapes, None when that is not counted."""
    names = (f"{CANDIDATES_METRIC}_sum", f"{CANDIDATES_METRIC}_count")
    total, lists = ((metric(after, name) or 0.0) - (metric(before, name) or 0.0) for name in names)
    return round(total / lists, 1) if lists else None


def scrape(http_port: int) -> str:
    """The transformer's /metrics."""
    return httpx.get(f"http://127.0.0.1:{http_port}/metrics", timeout=5, trust_env=False, verify=False).text  # noqa: S501 - no TLS


def metric(text: str, name: str) -> float | None:
    """Sum over a metric's labels, or one series when the name has them; None when there is none of that name."""
    labels = "" if "{" in name else r"(?:\{[^}]*\})?"
    found = [float(value) for value in re.findall(rf"^{re.escape(name)}{labels} (\S+)$", text, re.MULTILINE)]
    return sum(found) if found else None


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
