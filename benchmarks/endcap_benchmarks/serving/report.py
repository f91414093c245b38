"""The serving benchmark's goals, and its figures against them as a table and a JSON document."""

import json
import os
import platform
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from endcap.core.files import replace_text
from endcap_benchmarks.serving.summary import PERCENTILES

SMALL_CATALOGUE = 100_000
LARGE_CATALOGUE = 1_000_000
P99_MS = {"retrieval": 10.0, "rank": 20.0, "rules": 5.0, "whole": 50.0}
WHOLE_P99_MS_SMALL = 30.0
OWN_CPU_MS = 2.0
OWN_CPU_SHARE = 0.20
GROWTH_MAX = 1.5
TRANSFORMER_MIB = 1_536.0
READY_SECONDS = 30.0
DEGRADED_SHARE = 0.01
REFRESH_RATIO = 1.10
CACHED_REQUESTS_A_CORE = 1_000.0
CACHED_P99_MS = 5.0
GOODPUT_KEPT = 0.8

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Verdict:
    """One goal on one figure; `met` is None when the figure was not measured."""

    goal: str
    where: str
    value: float | None
    limit: str
    met: bool | None


def verdicts(runs: Iterable[Row]) -> list[Verdict]:
    """Every goal that the runs say something about."""
    rows = list(runs)
    found = [verdict for row in rows for verdict in _GOALS_OF[row["scenario"]](row)]
    return found + _growth(rows)


def where(row: Row) -> str:
    """For example `1,000,000 items, http`."""
    clients = f", {row['clients']} client{'s' if row['clients'] > 1 else ''}" if "clients" in row else ""
    return f"{row['items']:,} items, {row.get('protocol', 'http')}{clients}"


def _below(goal: str, row: Row, value: float | None, limit: float, unit: str = "") -> Verdict:
    return Verdict(goal, where(row), value, f"< {limit:g} {unit}".rstrip(), None if value is None else value < limit)


def _at_most(goal: str, row: Row, value: float | None, limit: float, unit: str = "") -> Verdict:
    return Verdict(goal, where(row), value, f"<= {limit:g} {unit}".rstrip(), None if value is None else value <= limit)


def _at_least(goal: str, row: Row, value: float | None, limit: float, unit: str = "") -> Verdict:
    return Verdict(goal, where(row), value, f">= {limit:g} {unit}".rstrip(), None if value is None else value >= limit)


def _steady(row: Row) -> list[Verdict]:
    small = row["items"] <= SMALL_CATALOGUE
    limits = P99_MS | ({"whole": WHOLE_P99_MS_SMALL} if small else {})
    return [
        *(_below(f"{stage} p99", row, row["p99_ms"].get(stage), limit, "ms") for stage, limit in limits.items()),
        _below("endcap's own code, CPU a request", row, row["own_stages_cpu_ms_a_request"], OWN_CPU_MS, "ms"),
        _below("endcap's own code, share of CPU", row, row["own_stages_cpu_share"], OWN_CPU_SHARE),
        _below("transformer memory", row, row["memory_mib"].get("transformer"), TRANSFORMER_MIB, "MiB"),
        _below("ready after", row, row["start_seconds"], READY_SECONDS, "s"),
        _at_most("lists with a stage that fell back", row, row["degraded_share"], DEGRADED_SHARE),
        _at_most("errors", row, row["errors"], 0),
        _at_most("empty lists although an item was eligible", row, row["empty_although_eligible"], 0),
    ]


def _refresh(row: Row) -> list[Verdict]:
    return [_at_most("p99 with item refreshes over without", row, row["p99_ratio"], REFRESH_RATIO)]


def _cached(row: Row) -> list[Verdict]:
    found = [_at_least("cached answers a second and core", row, row["requests_a_core_second"], CACHED_REQUESTS_A_CORE)]
    if row["clients"] == 1:
        found.append(_below("cached answers, whole p99", row, row["p99_ms"].get("whole"), CACHED_P99_MS, "ms"))
    return found


def _overload(row: Row) -> list[Verdict]:
    over = row["over"]
    kept = over["goodput"] / row["capacity_requests_per_second"] if row["capacity_requests_per_second"] else None
    return [
        _at_most("3x overload: accepted, whole p99", row, over["accepted_p99_ms"], row["deadline_ms"], "ms"),
        _at_least("3x overload: goodput of capacity", row, None if kept is None else round(kept, 3), GOODPUT_KEPT),
        _at_least("3x overload: refusals with Retry-After", row, over["retry_after_share"] if over["shed_share"] else None, 1),
        _at_most("3x overload: lost or failed", row, over["lost_share"], 0),
    ]


def _next_event(row: Row) -> list[Verdict]:
    return [
        _at_least("visits whose order stayed without an event", row, row["steady"], row["visits"]),
        _at_least("visits whose next event changed the order", row, row["changed"], row["visits"]),
    ]


def _growth(rows: list[Row]) -> list[Verdict]:
    whole = {row["items"]: row["p99_ms"]["whole"] for row in rows if row["scenario"] == "steady" and row["protocol"] == "http"}
    if SMALL_CATALOGUE not in whole or LARGE_CATALOGUE not in whole:
        return []
    row = {"items": LARGE_CATALOGUE, "protocol": "http"}
    ratio = round(whole[LARGE_CATALOGUE] / whole[SMALL_CATALOGUE], 3)
    return [_at_most(f"whole p99 over that of {SMALL_CATALOGUE:,} items", row, ratio, GROWTH_MAX)]


_GOALS_OF: dict[str, Callable[[Row], list[Verdict]]] = {
    "steady": _steady,
    "one client": lambda _row: [],
    "profile": lambda _row: [],
    "item table refresh": _refresh,
    "answers from cache": _cached,
    "overload": _overload,
    "next event": _next_event,
}


_GIB = 1024**3
SHOWN = {
    "candidates": "candidates ranked, mean",
    "rules": "rules in force",
    "requests_per_second": "answers a second",
    "requests_a_core_second": "answers a second and core",
    "hit_share": "answered from cache, share",
    "degraded_share": "lists with a stage that fell back, share",
    "degraded": "fell back:",
    "empty_lists": "empty lists",
    "errors": "errors",
    "shed_share": "turned away, share",
    "cpu_ms_a_request": "CPU ms a request:",
    "own_stages_cpu_ms_a_request": "CPU ms a request: endcap's own stages",
    "own_cpu_share": "CPU share of the transformer process",
    "own_stages_cpu_share": "CPU share of endcap's own stages",
    "other_cores_used": "cores used by others",
    "load_average": "load average",
    "memory_mib": "memory MiB:",
    "start_seconds": "start, s",
    "ready_seconds": "ready after s:",
    "send_lag_p99_ms": "load generator late by, p99 ms",
    "p99_ms_without": "p99 ms without refreshes",
    "p99_ms_with": "p99 ms with refreshes",
    "p99_ratio": "ratio",
    "updates": "refreshes",
    "visits": "visits",
    "changed": "visits whose order changed",
    "slowest_ms": "slowest change, ms",
    "capacity_requests_per_second": "capacity, requests a second",
    "over": "3x:",
    "cpu_ms_by_library": "CPU ms in",
    "cpu_ms_by_own_function": "CPU ms below",
    "cpu_ms_by_innermost": "CPU ms of",
}
"""Keys of a run that the table shows, in this order, and their names there."""
_STYLE = {True: "[green]yes[/]", False: "[bold red]NO[/]", None: "[dim]-[/]"}


def document(runs: Sequence[dict[str, Any]], verdicts: Sequence[Verdict], options: dict[str, Any]) -> dict[str, Any]:
    """Everything, with the machine, the moment and the code it was measured on."""
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": version("endcap"),
        **_commit(),
        "machine": machine(),
        "options": options,
        "verdicts": [asdict(verdict) for verdict in verdicts],
        "runs": list(runs),
    }


def write_document(path: Path, content: dict[str, Any]) -> None:
    replace_text(path, json.dumps(content, indent=1) + "\n")


def machine() -> dict[str, Any]:
    models = [line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    return {
        "cores": len(os.sched_getaffinity(0)),
        "cpu": models[0] if models else platform.machine(),
        "memory_gib": round(psutil.virtual_memory().total / _GIB, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


def print_report(console: Console, runs: Sequence[dict[str, Any]], verdicts: Sequence[Verdict]) -> None:
    """One table: figures by run, then goals."""
    here = machine()
    table = Table(title=f"Serving on {here['cores']} cores, {here['memory_gib']} GiB, all parts on this machine", title_justify="left")
    table.add_column("figure", no_wrap=True)
    for name in ("p50", "p95", "p99", "value"):
        table.add_column(name, justify="right")
    table.add_column("goal")
    table.add_column("met")
    for run in runs:
        _section(table, run)
    table.add_section()
    table.add_row("[bold]goals[/]")
    for verdict in verdicts:
        value = "" if verdict.value is None else f"{verdict.value:,.4g}"
        table.add_row(f"{verdict.goal}, [dim]{verdict.where}[/]", "", "", "", value, verdict.limit, _STYLE[verdict.met])
    console.print(table)


def _section(table: Table, run: dict[str, Any]) -> None:
    rate = f", {run['rate']:g} a second" if "rate" in run else ""
    table.add_section()
    table.add_row(f"[bold]{run['scenario']}[/], {where(run)}{rate}")
    for stage in run.get("p50_ms", {}):
        table.add_row(f"  {stage}, ms", *(f"{run[name][stage]:.2f}" for name in PERCENTILES))
    for name, value in shown_figures(run):
        table.add_row(f"  {name}", "", "", "", value)


def shown_figures(run: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Figures of a run that the table shows, by their names there; the JSON file has all."""
    found = []
    for key, name in SHOWN.items():
        value = run.get(key)
        if isinstance(value, dict):
            found += [(f"{name} {part}", _short(each)) for part, each in value.items() if not isinstance(each, dict)]
        elif value is not None:
            found.append((name, _short(value)))
    return found


def _short(value: Any) -> str:
    return f"{value:,.4g}" if isinstance(value, float) else str(value)


def _commit() -> dict[str, Any]:
    """The commit of the code that runs; empty where it runs from no checkout."""
    if not _git("ls-files", __file__):
        return {"commit": "", "uncommitted_changes": False}
    return {"commit": _git("rev-parse", "--short", "HEAD"), "uncommitted_changes": bool(_git("status", "--porcelain"))}


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(Path(__file__).parent), *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
