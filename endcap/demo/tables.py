"""The demo's tables: models x metrics on the weeks after the cut, and what a client waits for."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from endcap.contracts.answer import Answer
from endcap.contracts.evaluation import ALL, AS_SHOWN, FULL, NEW, ORDERED, TRUTHS, Evaluation, Figure

NAMES = {FULL: "[bold]endcap[/]", ORDERED: "in the ranker's place", AS_SHOWN: "as shown"}


def print_offline_table(console: Console, evaluation: Evaluation) -> None:
    """Accuracy by truth with 95 % intervals, then coverage, diversity and novelty; the best of each column stands out."""
    weeks = f"{evaluation.cut:%Y-%m-%d} to {evaluation.data_end:%Y-%m-%d}"
    for truth, figures in evaluation.truths.items():
        title = f"{figures.users:,} users, {weeks}; counted as right: {TRUTHS[truth]}"
        _print(console, title, figures.models, _accuracy(truth, evaluation), "mean ± half its 95 % bootstrap interval")
    if ALL in evaluation.truths:
        beyond = tuple(f"{name}@{evaluation.main_k}" for name in ("coverage", "diversity", "novelty"))
        _print(console, f"Beyond accuracy, {weeks}", evaluation.truths[ALL].models, beyond, None)
        console.print("[bold]endcap[/] is the whole pipeline: every candidate source, then the ranker.", highlight=False)


def _accuracy(truth: str, evaluation: Evaluation) -> tuple[str, ...]:
    of_list = tuple(f"{name}@{evaluation.main_k}" for name in ("ndcg", "precision", "recall"))
    return (*of_list, evaluation.retrieval_metric if truth == NEW else f"mrr@{evaluation.main_k}")


def _print(console: Console, title: str, models: dict[str, dict[str, Figure]], metrics: Sequence[str], caption: str | None) -> None:
    console.print(f"\n[bold]{title}[/]", highlight=False)
    table = Table(caption=caption, caption_justify="left")
    table.add_column("model", no_wrap=True)
    for name in metrics:
        table.add_column(name, justify="right", no_wrap=True)
    for model, figures in models.items():
        cells = [_cell(figures.get(name), _best(models, name), with_interval=caption is not None) for name in metrics]
        table.add_row(NAMES.get(model) or model.replace("_", " "), *cells)
    console.print(table)


def _best(models: dict[str, dict[str, Figure]], metric: str) -> float:
    return max((figures[metric].mean for figures in models.values() if metric in figures), default=float("nan"))


def _cell(figure: Figure | None, best: float, *, with_interval: bool) -> str:
    if figure is None:
        return ""
    text = f"{figure.mean:.3f}" + (f" ±{(figure.high - figure.low) / 2:.3f}" if with_interval else "")
    return f"[bold green]{text}[/]" if figure.mean == best else text


def measure_latency(
    ask: Callable[[dict[str, Any]], Answer], instances: Sequence[dict[str, Any]], warm_up: int = 20
) -> list[dict[str, Any]]:
    """Send requests one after another and give a row a stage, with percentiles in milliseconds.

    Args:
        ask: sends one instance and waits for its answer.
        instances: the requests; the first `warm_up` are sent once more beforehand and not counted.
    """
    for instance in instances[:warm_up]:
        ask(instance)
    stages: dict[str, list[float]] = {}
    for instance in instances:
        started = time.perf_counter()
        answer = ask(instance)
        stages.setdefault("whole request, seen by the client", []).append((time.perf_counter() - started) * 1000)
        for stage, spent_ms in answer.timings_ms.items():
            stages.setdefault(stage, []).append(spent_ms)
    whole = stages.pop("whole request, seen by the client")
    rows = [_row(name, values) for name, values in stages.items() if name != "total"]
    return [*rows, _row("whole request, seen by the client", whole)]


def _row(stage: str, values_ms: Sequence[float]) -> dict[str, Any]:
    p50, p95, p99 = np.percentile(values_ms, [50, 95, 99])
    return {"stage": stage, "p50 ms": round(float(p50), 2), "p95 ms": round(float(p95), 2), "p99 ms": round(float(p99), 2)}
