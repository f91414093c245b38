"""What a benchmark leaves behind: one table for people, one JSON file for the record."""

import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from endcap.core.files import replace_text
from endcap_benchmarks.serving.goals import Verdict, where
from endcap_benchmarks.serving.summary import PERCENTILES

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
