"""A benchmark's one table: figures by run, then goals."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from endcap_benchmarks.record import machine
from endcap_benchmarks.verdict import Verdict

PERCENTILES = {"p50_ms": 50, "p95_ms": 95, "p99_ms": 99}
"""Keys of a run that have a figure a stage, and the percentile of each."""

WHOLE_FROM = 1_000
"""From here on digits behind the point say nothing."""

_STYLE = {True: "[green]yes[/]", False: "[bold red]NO[/]", None: "[dim]-[/]"}

Row = Mapping[str, Any]


def print_table(  # noqa: PLR0917 - what is shown, and how
    console: Console,
    subject: str,
    runs: Sequence[Row],
    verdicts: Sequence[Verdict],
    shown: Mapping[str, str],
    where: Callable[[Row], str],
) -> None:
    """Print it.

    Args:
        console: where to.
        subject: what was measured.
        runs: figures, each with its `scenario`.
        verdicts: the goals.
        shown: keys of a run that the table shows, in this order, and their names there.
        where: what a run is of.
    """
    here = machine()
    table = Table(title=f"{subject} on {here['cores']} cores, {here['memory_gib']} GiB, all parts on this machine", title_justify="left")
    table.add_column("figure", overflow="fold")
    for name in ("p50", "p95", "p99", "value"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("goal", no_wrap=True)
    table.add_column("met")
    for run in runs:
        _add_section(table, run, shown, where)
    table.add_section()
    table.add_row("[bold]goals[/]")
    for verdict in verdicts:
        value = "" if verdict.value is None else _short(float(verdict.value))
        table.add_row(f"{verdict.goal}, [dim]{verdict.where}[/]", "", "", "", value, verdict.limit, _STYLE[verdict.met])
    console.print(table)


def _add_section(table: Table, run: Row, shown: Mapping[str, str], where: Callable[[Row], str]) -> None:
    rate = f", {run['rate']:g} a second" if "rate" in run else ""
    table.add_section()
    table.add_row(f"[bold]{run['scenario']}[/], {where(run)}{rate}")
    for stage in run.get("p50_ms", {}):
        table.add_row(f"  {stage}, ms", *(f"{run[name][stage]:.2f}" for name in PERCENTILES))
    for name, value in shown_figures(run, shown):
        table.add_row(f"  {name}", "", "", "", value)


def shown_figures(run: Row, shown: Mapping[str, str]) -> list[tuple[str, str]]:
    """Figures of a run that the table shows, by their names there; the JSON file has all."""
    found = []
    for key, name in shown.items():
        value = run.get(key)
        if isinstance(value, dict):
            found += [(f"{name} {part}", _short(each)) for part, each in value.items() if not isinstance(each, dict)]
        elif value is not None:
            found.append((name, _short(value)))
    return found


def _short(value: Any) -> str:
    if isinstance(value, list | tuple):
        return " to ".join(_short(each) for each in value)
    if not isinstance(value, float):
        return str(value)
    return f"{value:,.0f}" if abs(value) >= WHOLE_FROM else f"{value:.4g}"
