"""The quality report as one HTML page that needs nothing beside it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from endcap.contracts.evaluation import DEEP_K, Figure
from endcap.core.files import replace_text
from endcap.evaluation.page_style import STYLE
from endcap_benchmarks.quality.console_table import TRUTH_TITLES
from endcap_benchmarks.quality.html_template import PAGE
from endcap_benchmarks.quality.metric_columns import (
    CHECKS,
    MetricColumn,
    best_models,
    metric_columns,
    present_columns,
    ranked_models,
    significance_mark,
)
from endcap_benchmarks.quality.plots import accuracy_against_time, metric_bars, segment_dots
from endcap_benchmarks.quality.quality_report import QualityReport, TruthResult
from endcap_components.evaluate.plots import reliability_curves


def write_html(path: Path, report: QualityReport) -> None:
    """Render the page and put it in place once it is whole."""
    replace_text(path, html_page(report))


def html_page(report: QualityReport) -> str:
    """The page's text."""
    import jinja2

    calibrated = {name: model.reliability for name, model in report.models.items() if model.reliability}
    template = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string(PAGE)
    return template.render(
        style=STYLE,
        report=report,
        intro=_intro(report),
        cards=[card for name, truth in report.main.truths.items() for card in _cards(report, name, truth)],
        tiles=_tiles(report),
        truths=[_truth_section(report, name, truth) for name, truth in report.main.truths.items()],
        windows=_windows(report) if report.pooled else [],
        reliability=_drawn(reliability_curves(calibrated)) if calibrated else "",
        costs=_costs(report),
        protocol=_protocol(report),
        columns=metric_columns(report.k),
    )


def _drawn(svg: str) -> Any:
    """Our own drawing, which the template must not escape."""
    from markupsafe import Markup

    return Markup(svg)  # noqa: S704 - made by matplotlib from numbers and names of models


def _intro(report: QualityReport) -> str:
    tried = sum(1 for model in report.models.values() if not model.failure)
    return f"{tried} models, {report.main.users:,} users. Data: {report.data.source}. Protocol: {report.protocol}, {report.main.name}."


def _cards(report: QualityReport, name: str, truth: TruthResult) -> list[dict[str, str]]:
    metric = f"ndcg@{report.k}"
    best = next((model for model in ranked_models(truth.models, metric) if model not in CHECKS), None)
    if best is None:
        return []
    difference = truth.differences.get(best, {}).get(metric)
    against = "the best baseline; nothing beats it"
    if difference:
        against = f"{difference.mean:+.4f} [{difference.low:+.4f}, {difference.high:+.4f}] against {truth.baseline}"
        against += ", beyond chance" if significance_mark(truth, best, metric) == "*" else ", within chance"
    return [{"value": f"{truth.models[best][metric].mean:.4f}", "text": f"NDCG@{report.k} of {best}: {_title(name)}", "against": against}]


def _tiles(report: QualityReport) -> list[tuple[str, str]]:
    data = report.data
    return [
        (f"{data.users:,}", "users"),
        (f"{data.items:,}", f"items bought, of {data.catalogue_items:,}"),
        (f"{data.purchases:,}", "purchases"),
        (f"{data.purchases_per_user:,.0f}", "purchases a user, median"),
        (f"{data.density:.3%}", "density"),
        (f"{data.repeat_share:.0%}", "bought again"),
        ("real" if data.knows_times else "order only", "times"),
    ]


def _truth_section(report: QualityReport, name: str, truth: TruthResult) -> dict[str, Any]:
    columns = present_columns(truth, report.k)
    metric = f"ndcg@{report.k}"
    ranked = ranked_models(truth.models, metric)
    own = [model for model in ranked if not report.models[model].is_baseline and model not in CHECKS]
    compared = list(dict.fromkeys([*own[:1], truth.baseline, *[model for model in ranked if model not in CHECKS][:2]]))[:3]
    return {
        "title": _title(name),
        "result": truth,
        "columns": columns,
        "rows": [_row(report, truth, model, columns) for model in ranked],
        "ranking": _drawn(metric_bars(truth, report.models, metric, f"NDCG@{report.k} with 95 % interval; dashed: best baseline")),
        "reach": _drawn(metric_bars(truth, report.models, f"recall@{DEEP_K}", f"recall@{DEEP_K} with 95 % interval")),
        "time": _drawn(accuracy_against_time(truth, report.models, metric, f"NDCG@{report.k}")),
        "segments": _drawn(segment_dots(truth.segments, compared, metric, f"NDCG@{report.k} with 95 % interval")) if truth.segments else "",
    }


def _row(report: QualityReport, truth: TruthResult, model: str, columns: Sequence[MetricColumn]) -> dict[str, Any]:
    best = best_models(truth, report.k)
    cells: list[dict[str, str]] = []
    for place, column in enumerate(columns):
        figure = truth.models[model].get(column.key)
        mark = {"*": "better", "-": "worse"}.get(significance_mark(truth, model, column.key), "")
        kind = f"{'best' if best.get(column.key) == model else ''} {mark}".strip()
        cells.append(
            {"text": f"{figure.mean:.{column.decimals}f}", "small": _span(figure, column.decimals), "kind": kind} if figure else _empty()
        )
        if place == 0:
            difference = truth.differences.get(model, {}).get(column.key)
            cells.append({"text": f"{difference.mean:+.4f}", "small": _span(difference, 4, "+"), "kind": mark} if difference else _empty())
    ours = "" if report.models[model].is_baseline or model in CHECKS else "full"
    return {"model": model, "cells": cells, "kind": "baseline" if model == truth.baseline else ours}


def _span(figure: Figure, decimals: int, sign: str = "") -> str:
    return f"{figure.low:{sign}.{decimals}f} to {figure.high:{sign}.{decimals}f}"


def _empty() -> dict[str, str]:
    return {"text": "", "small": "", "kind": ""}


def _windows(report: QualityReport) -> list[dict[str, Any]]:
    metric = f"ndcg@{report.k}"
    sections = []
    for name, truth in report.main.truths.items():
        found = [task.truths.get(name) for task in report.tasks]
        rows = [
            (model, [each.models.get(model, {}).get(metric) if each else None for each in found])
            for model in ranked_models(truth.models, metric)
        ]
        sections.append({"title": _title(name), "names": [task.name for task in report.tasks], "rows": rows})
    return sections


def _costs(report: QualityReport) -> list[dict[str, Any]]:
    first = next(iter(report.main.truths.values()), None)
    rows = []
    for name, model in sorted(report.models.items(), key=lambda entry: entry[1].fit_s or 0.0):
        spread = first.seed_spread.get(name, {}).get(f"ndcg@{report.k}") if first else None
        rows.append(
            {
                "name": name,
                "failure": model.failure,
                "fit": "" if model.fit_s is None else f"{model.fit_s:,.1f}",
                "score": "" if model.score_ms_per_user is None else f"{model.score_ms_per_user:,.2f}",
                "memory": "" if model.peak_memory_mib is None else f"{model.peak_memory_mib:,.0f}",
                "seeds": ", ".join(map(str, model.seeds)) if len(model.seeds) > 1 else "",
                "spread": "" if spread is None else f"±{spread:.4f}",
            }
        )
    return rows


def _protocol(report: QualityReport) -> str:
    if report.protocol == "temporal":
        return (
            f"models learn from what was bought before a cut and are judged by the {report.weeks} weeks after it; users bought on "
            f"both sides, items had at least {report.min_buyers} buyers before the cut"
        )
    return (
        "each user's last item is the test and the one before it validation, neither is learned from; ranked against all items that the "
        "user does not have, without sampling"
    )


def _title(truth: str) -> str:
    return TRUTH_TITLES.get(truth, f"each user's {truth}")
