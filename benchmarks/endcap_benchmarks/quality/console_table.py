"""The report as one table for a terminal."""

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from endcap.contracts.evaluation import Figure
from endcap_benchmarks.quality.metric_columns import (
    MetricColumn,
    best_models,
    metric_columns,
    present_columns,
    ranked_models,
    significance_mark,
)
from endcap_benchmarks.quality.quality_report import QualityReport, TruthResult

WIDTH = 140
COLUMNS_MAX = 10
TRUTH_TITLES = {
    "all": "everything bought after the cut",
    "new": "only items new to the user",
    "next event": "the item of a visit's next event",
    "later events": "the items of all later events of a visit",
    "next of views": "the next event's item where it is a view",
    "next of carts": "the next event's item where it is a cart addition",
    "next of purchases": "the next event's item where it is a purchase",
}


def console_table(report: QualityReport) -> Table:
    """Models by main metrics, a section a truth, best model on top."""
    main = report.main
    table = Table(
        title=f"{report.protocol}, {main.name}: {main.users:,} users, {main.items:,} items",
        caption="± half of the 95 % interval; bold: best; against the best baseline, paired: * better, - worse (p < 0.05, Holm)",
        title_justify="left",
        caption_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        show_edge=False,
    )
    columns = shown_columns(report)
    first, *others = columns
    # Names give way where the width is short: half a figure says nothing.
    table.add_column("model", overflow="fold")
    for name in (first.title, "to baseline", *(column.short for column in others), "fit s", "MiB"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, truth in main.truths.items():
        table.add_section()
        table.add_row(Text(f"{TRUTH_TITLES.get(name, name)}, {truth.users:,} users", style="italic"))
        for model in ranked_models(truth.models, first.key):
            table.add_row(*_cells(report, truth, model, columns))
    for name, failure in report.failures.items():
        table.add_section()
        table.add_row(Text(f"{name} failed", style="bold red"), Text(failure.splitlines()[0][:80], style="red"))
    return table


def shown_columns(report: QualityReport) -> list[MetricColumn]:
    """Those that some model has, and of them no more than the width holds: accuracy comes first."""
    present = {column.key for truth in report.main.truths.values() for column in present_columns(truth, report.k)}
    return [column for column in metric_columns(report.k) if column.key in present][:COLUMNS_MAX] or metric_columns(report.k)


def _cells(report: QualityReport, truth: TruthResult, model: str, columns: list[MetricColumn]) -> list[Text]:
    best, figures, costs = best_models(truth, report.k), truth.models[model], report.models[model]
    first, *others = columns
    difference = truth.differences.get(model, {}).get(first.key)
    cells = [
        Text(model, style="cyan" if not costs.is_baseline else ""),
        Text(f"{_number(figures[first.key], first)} ±{_half(figures[first.key]):.4f}", style=_style(best, first, model)),
        Text(
            f"{difference.mean:+.4f} ±{_half(difference):.4f}{significance_mark(truth, model, first.key) or ' '}"
            if difference
            else "baseline "
        ),
    ]
    for column in others:
        found = figures.get(column.key)
        cells.append(Text(_number(found, column) if found else "", style=_style(best, column, model)))
    fit_s, memory = costs.fit_s, costs.peak_memory_mib
    return [*cells, Text("" if fit_s is None else f"{fit_s:,.1f}"), Text("" if memory is None else f"{memory:,.0f}")]


def _style(best: dict[str, str], column: MetricColumn, model: str) -> str:
    return "bold green" if best.get(column.key) == model else ""


def _number(figure: Figure, column: MetricColumn) -> str:
    return f"{figure.mean:.{column.decimals}f}"


def _half(figure: Figure) -> float:
    return (figure.high - figure.low) / 2
