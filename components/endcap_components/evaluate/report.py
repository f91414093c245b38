"""The evaluation report: one HTML page that needs nothing beside it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from endcap.contracts.evaluation import ALL, DEEP_K, FULL, MAIN_K, NEW, TRUTHS, Evaluation, Figure, TruthFigures
from endcap.core.files import replace_text
from endcap.evaluation.page_style import STYLE
from endcap_components.evaluate.plots import model_intervals, model_title, reliability_curves, segment_comparison
from endcap_components.evaluate.report_page import PAGE

TABLE_METRICS = (
    f"ndcg@{MAIN_K}",
    f"precision@{MAIN_K}",
    f"recall@{MAIN_K}",
    f"hr@{MAIN_K}",
    f"mrr@{MAIN_K}",
    f"recall@{DEEP_K}",
    f"coverage@{MAIN_K}",
    f"diversity@{MAIN_K}",
    f"novelty@{MAIN_K}",
)


def write_report(path: Path, evaluation: Evaluation) -> None:
    """Render the page and put it in place once it is whole."""
    import jinja2

    template = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string(PAGE)
    page = template.render(
        style=STYLE,
        evaluation=evaluation,
        truths=[_truth_section(name, figures, evaluation.baselines[name]) for name, figures in evaluation.truths.items()],
        headline=_headline(evaluation),
        reliability=_drawing(reliability_curves(evaluation.reliability)),
    )
    replace_text(path, page)


def _drawing(svg: str) -> Any:
    """Our own drawing, which the template must not escape."""
    from markupsafe import Markup

    return Markup(svg)  # noqa: S704 - made by matplotlib from numbers and our own names


def _headline(evaluation: Evaluation) -> list[dict[str, str]]:
    """The figures a reader looks for first."""
    cards = []
    for truth, metric, model, text in (
        (ALL, f"ndcg@{MAIN_K}", FULL, "NDCG@10 of the whole pipeline"),
        (NEW, f"ndcg@{MAIN_K}", FULL, "NDCG@10 on items new to the user"),
        (NEW, f"recall@{DEEP_K}", "two_tower", "two-tower recall@100 on new items"),
    ):
        figures = evaluation.truths.get(truth)
        difference = figures.differences.get(model, {}).get(metric) if figures else None
        if figures and difference:
            cards.append(
                {
                    "value": f"{figures.models[model][metric].mean:.3f}",
                    "text": text,
                    "against": f"{difference.mean:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}] "
                    f"against {model_title(evaluation.baselines[truth])}",
                }
            )
    return cards


def _truth_section(name: str, figures: TruthFigures, baseline: str) -> dict[str, Any]:
    metrics = [metric for metric in TABLE_METRICS if any(metric in columns for columns in figures.models.values())]
    best = {metric: max(columns[metric].mean for columns in figures.models.values() if metric in columns) for metric in metrics}
    return {
        "title": TRUTHS[name],
        "figures": figures,
        "metrics": metrics,
        "rows": [_row(model, columns, metrics, best) for model, columns in figures.models.items()],
        "baseline": model_title(baseline),
        "ndcg": _drawing(model_intervals(figures.models, f"ndcg@{MAIN_K}", "NDCG@10 with 95 % interval")),
        "recall": _drawing(model_intervals(figures.models, f"recall@{DEEP_K}", "recall@100 with 95 % interval")),
        "segments": _drawing(segment_comparison(figures.segments, (FULL, baseline), f"ndcg@{MAIN_K}", "NDCG@10"))
        if figures.segments
        else "",
    }


def _row(model: str, columns: Mapping[str, Figure], metrics: list[str], best: Mapping[str, float]) -> dict[str, Any]:
    cells = [(columns.get(metric), metric in columns and columns[metric].mean == best[metric]) for metric in metrics]
    return {"model": model_title(model), "cells": cells, "is_full": model == FULL}
