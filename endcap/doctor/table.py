"""The report for people: one table, part by part, and one line that sums it up."""

from itertools import groupby

from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from endcap.doctor.finding import Finding, Report, State

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
