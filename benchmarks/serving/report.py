"""What a benchmark leaves behind: one table for people, one JSON file for the record."""

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.serving.goals import Verdict, where
from benchmarks.serving.summary import PERCENTILES

ROOT = Path(__file__).resolve().parents[2]
_GIB = 1024**3
_STYLE = {True: "[green]yes[/]", False: "[bold red]NO[/]", None: "[dim]-[/]"}


def document(runs: Sequence[dict[str, Any]], verdicts: Sequence[Verdict], options: dict[str, Any]) -> dict[str, Any]:
    """Everything, with the machine, the moment and the code it was measured on."""
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _git("rev-parse", "--short", "HEAD"),
        "uncommitted_changes": bool(_git("status", "--porcelain")),
        "machine": machine(),
        "options": options,
        "verdicts": [asdict(verdict) for verdict in verdicts],
        "runs": list(runs),
    }


def write_document(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    aside.replace(path)


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
    table.add_column("figure")
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
        table.add_row(f"{verdict.goal} [dim]({verdict.where})[/]", "", "", "", value, verdict.limit, _STYLE[verdict.met])
    console.print(table)


def _section(table: Table, run: dict[str, Any]) -> None:
    rate = f", {run['rate']:g} a second" if "rate" in run else ""
    table.add_section()
    table.add_row(f"[bold]{run['scenario']}[/], {where(run)}{rate}")
    for stage in run.get("p50_ms", {}):
        table.add_row(f"  {stage}, ms", *(f"{run[name][stage]:.2f}" for name in PERCENTILES))
    for name, value in _figures(run):
        table.add_row(f"  {name}", "", "", "", value)


def _figures(run: dict[str, Any]) -> list[tuple[str, str]]:
    """Single figures and those by process or stage, in the run's order; what other rows show is left out."""
    shown = {"scenario", "items", "protocol", "rate", "clients", "arrivals", *PERCENTILES}
    found: list[tuple[str, str]] = []
    for name, value in run.items():
        if name in shown or value is None or isinstance(value, list):
            continue
        text = (
            ", ".join(f"{key} {_short(each)}" for key, each in value.items() if not isinstance(each, dict))
            if isinstance(value, dict)
            else _short(value)
        )
        if text:
            found.append((name.replace("_", " "), text))
    return found


def _short(value: Any) -> str:
    return f"{value:,.4g}" if isinstance(value, float) else str(value)


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
