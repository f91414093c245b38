"""The offline table: models x metrics on the weeks after the cut."""

from rich.console import Console
from rich.table import Table

from endcap.evaluation.evaluation import ALL, FULL, NEW, TRUTHS, Evaluation, Figure

COLUMNS = {
    ALL: ("ndcg@10", "recall@10", "precision@10", "mrr@10", "coverage@10", "diversity@10", "novelty@10"),
    NEW: ("ndcg@10", "recall@10", "recall@100"),
}
"""Metrics shown by truth; what a model has no figure for stays empty."""


def print_offline_table(console: Console, evaluation: Evaluation) -> None:
    """One table a truth: a row a model, the mean and its 95 % interval, the best of each metric in bold."""
    for truth, figures in evaluation.truths.items():
        shown = [name for name in COLUMNS[truth] if any(name in metrics for metrics in figures.models.values())]
        table = Table(
            title=f"{figures.users:,} households, {evaluation.cut:%Y-%m-%d} to {evaluation.data_end:%Y-%m-%d}; right is: {TRUTHS[truth]}",
            title_justify="left",
            caption="mean, and half the width of its 95 % bootstrap interval",
            caption_justify="left",
        )
        table.add_column("model")
        for name in shown:
            table.add_column(name, justify="right")
        for model, metrics in figures.models.items():
            cells = [_cell(metrics.get(name), figures.models, name) for name in shown]
            table.add_row(f"[bold]{_name(model)}[/]" if model == FULL else _name(model), *cells)
        console.print()
        console.print(table)


def _name(model: str) -> str:
    return "endcap (all sources, ranked)" if model == FULL else model.replace("_", " ")


def _cell(figure: Figure | None, models: dict[str, dict[str, Figure]], metric: str) -> str:
    if figure is None:
        return ""
    best = max(metrics[metric].mean for metrics in models.values() if metric in metrics)
    text = f"{figure.mean:.3f} ±{(figure.high - figure.low) / 2:.3f}"
    return f"[green]{text}[/]" if figure.mean == best else text
