"""What the doctor reports: one finding a check, and all of them with their cluster, as stable JSON and as a table for people."""

from collections.abc import Iterable
from enum import StrEnum
from itertools import groupby
from typing import Literal

from pydantic import BaseModel, ConfigDict
from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text


class State(StrEnum):
    """How a need is met.

    `warning`: it may not be met, or works less well than it could; `unknown`: it could not be looked at.
    """

    OK = "ok"
    GAP = "gap"
    WARNING = "warning"
    UNKNOWN = "unknown"


class Finding(BaseModel):
    """One row.

    Attributes:
        part: whom it is about, for example `KServe`.
        check: name of the check, the same in every run.
        needed: what the values need.
        because: the values that need it.
        found: what is there, or why it could not be looked at.
        state: how the need is met.
        fix: what to do; empty when there is nothing to do.
    """

    model_config = ConfigDict(frozen=True)

    part: str
    check: str
    needed: str
    because: str
    found: str
    state: State
    fix: str = ""


class Report(BaseModel):
    """All findings about one release on one cluster.

    Attributes:
        format: of this document; another number when a field changes its meaning.
        kubernetes: version of the API server.
        counts: findings by state, every state included.
    """

    model_config = ConfigDict(frozen=True)

    format: Literal[1] = 1
    namespace: str
    release: str
    chart_version: str
    kubernetes: str
    counts: dict[State, int]
    findings: tuple[Finding, ...]


def counted(findings: Iterable[Finding]) -> dict[State, int]:
    """How many findings have each state."""
    states = [each.state for each in findings]
    return {state: states.count(state) for state in State}


STYLES = {State.OK: "green", State.GAP: "bold red", State.WARNING: "yellow", State.UNKNOWN: "magenta"}


def print_report(report: Report, console: Console) -> None:
    """Rows of a part stand under its name; what to do stands behind an arrow under what was found."""
    title = f"Release {report.release} in namespace {report.namespace}, chart {report.chart_version}, Kubernetes {report.kubernetes}"
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False, expand=True)
    table.add_column("state", no_wrap=True)
    table.add_column("needed (by which value)", ratio=4, overflow="fold")
    table.add_column("found, and what to do", ratio=5, overflow="fold")
    for part, findings in groupby(report.findings, key=lambda finding: finding.part):
        table.add_row("", Text(part, style="bold"), "")
        for finding in findings:
            needed = Text.assemble(finding.needed, (f" ({finding.because})", "dim"))
            table.add_row(Text(finding.state, style=STYLES[finding.state]), needed, _found(finding))
        table.add_section()
    console.print(table)
    console.print(Text(summary(report)))


def summary(report: Report) -> str:
    """How many findings have each state, the worst first."""
    counts = report.counts
    words = {State.GAP: "gap", State.WARNING: "warning", State.UNKNOWN: "unknown", State.OK: "ok"}
    plural = {State.GAP, State.WARNING}
    said = [f"{counts[state]} {word}{'s' if state in plural and counts[state] != 1 else ''}" for state, word in words.items()]
    return ", ".join(said)


def _found(finding: Finding) -> Text | Group:
    found = Text(finding.found)
    return Group(found, Text(f"→ {finding.fix}", style="cyan")) if finding.fix else found
