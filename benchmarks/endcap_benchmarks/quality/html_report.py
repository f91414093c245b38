"""The quality report as one HTML page that needs nothing beside it, from its template (Jinja, escaped by default)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from endcap.contracts.evaluation import DEEP_K, Figure
from endcap.core.files import replace_text
from endcap.evaluation.report_style import STYLE
from endcap_benchmarks.quality.console_table import TRUTH_TITLES
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
from endcap_components.evaluate.report import reliability_curves

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Quality of recommendations: {{ report.data.source }}, {{ report.protocol }}</title>
<style>{{ style|safe }}
  td.better::after { content: " *"; color: var(--accent); font-weight: 700; } td.worse { color: #a14a1f; }
  tr.baseline td:first-child::after { content: "best baseline"; margin-left: 8px; padding: 1px 7px; border-radius: 9px;
    background: #fbeee3; color: #a14a1f; font-size: 11px; }
  .failed { color: #a14a1f; } .wide svg { max-width: 760px; } h3 { font-size: 15.5px; margin: 22px 0 4px; }
  details { margin-top: 14px; } summary { cursor: pointer; color: var(--soft); }
  .tile { display: inline-block; min-width: 148px; margin: 6px 22px 6px 0; } .tile b { display: block; font-size: 20px; }
  .tile small { color: var(--soft); }
</style>
</head>
<body><main>
<h1>Quality of recommendations</h1>
<p class="soft">{{ intro }}</p>
<div class="cards">
{% for card in cards %}<div class="card"><b>{{ card.value }}</b>{{ card.text }}<br><small>{{ card.against }}</small></div>
{% endfor %}</div>
<section>
<h2>The data</h2>
<p class="soft">{{ report.data.says[0]|upper }}{{ report.data.says[1:] }}</p>
{% for value, text in tiles %}<span class="tile"><b>{{ value }}</b><small>{{ text }}</small></span>{% endfor %}
</section>
{% for truth in truths %}
<section>
<h2>{{ truth.title[0]|upper }}{{ truth.title[1:] }}</h2>
<p class="soft">{{ "{:,}".format(truth.result.users) }} users with {{ "%.1f"|format(truth.result.items_per_user) }} items each on average.
Small figures are 95 % intervals. The best of each column is set bold; an asterisk marks what is better than the best baseline beyond
chance, brown what is worse.</p>
<div class="scroll"><table>
<thead><tr><th>model</th>{% for column in truth.columns %}<th title="{{ column.meaning }}">{{ column.title }}</th>
{% if loop.first %}<th>to baseline</th>{% endif %}{% endfor %}</tr></thead>
<tbody>{% for row in truth.rows %}<tr class="{{ row.kind }}"><td>{{ row.model }}</td>
{% for cell in row.cells %}<td class="{{ cell.kind }}">{{ cell.text }}{% if cell.small %}<small>{{ cell.small }}</small>{% endif %}</td>
{% endfor %}</tr>{% endfor %}</tbody></table></div>
<div class="plots wide">
<figure><figcaption>Ranking: NDCG@{{ report.k }}</figcaption>{{ truth.ranking }}</figure>
<figure><figcaption>Reach: recall@100</figcaption>{{ truth.reach }}</figure>
<figure><figcaption>What learning time buys</figcaption>{{ truth.time }}</figure>
{% if truth.segments %}<figure><figcaption>By segment of users</figcaption>{{ truth.segments }}</figure>{% endif %}
</div>
</section>
{% endfor %}
{% if windows %}<section>
<h2>Window by window</h2>
<p class="soft">NDCG@{{ report.k }} in each window of {{ report.weeks }} weeks: one lucky week proves nothing.</p>
{% for window in windows %}<h3>{{ window.title }}</h3><div class="scroll"><table>
<thead><tr><th>model</th>{% for name in window.names %}<th>{{ name }}</th>{% endfor %}</tr></thead>
<tbody>{% for model, cells in window.rows %}<tr><td>{{ model }}</td>{% for cell in cells %}<td>{% if cell %}{{ "%.4f"|format(cell.mean) }}
<small>{{ "%.4f"|format(cell.low) }} to {{ "%.4f"|format(cell.high) }}</small>{% endif %}</td>{% endfor %}</tr>{% endfor %}</tbody>
</table></div>{% endfor %}
</section>{% endif %}
{% if reliability %}<section>
<h2>Calibration</h2>
<p class="soft">Items in bins of equal size: how likely the model said they were to be bought, and how many were.</p>
<div class="plots"><figure>{{ reliability }}</figure></div>
</section>{% endif %}
<section>
<h2>What it costs</h2>
<p class="soft">Each model learned in a process of its own, on {{ report.cores }} cores ({{ report.threads }}).
Memory is the whole process's, libraries and data included.</p>
<div class="scroll"><table>
<thead><tr><th>model</th><th>learning, s</th><th>scoring, ms a user</th><th>peak memory, MiB</th><th>seeds</th>
<th>NDCG spread of seeds</th></tr></thead>
<tbody>{% for row in costs %}<tr><td>{{ row.name }}</td>{% if row.failure %}<td class="failed" colspan="5">failed: {{ row.failure }}</td>
{% else %}<td>{{ row.fit }}</td><td>{{ row.score }}</td><td>{{ row.memory }}</td><td>{{ row.seeds }}</td>
<td>{{ row.spread }}</td>{% endif %}
</tr>{% endfor %}</tbody></table></div>
</section>
<section>
<h2>How it is measured</h2>
<dl>
<dt>protocol</dt><dd>{{ protocol }}</dd>
{% for column in columns %}<dt>{{ column.title }}</dt><dd>{{ column.meaning }}</dd>
{% endfor %}<dt>intervals</dt><dd>95 %, bootstrap over users, the same 1,000 resamples for every model</dd>
<dt>significance</dt><dd>paired t-test against the best baseline, adjusted by Holm for all models compared</dd>
<dt>dataset</dt><dd><code>{{ report.data.fingerprint }}</code></dd>
<dt>command</dt><dd><code>{{ report.command }}</code></dd>
<dt>endcap</dt><dd>{{ report.endcap_version }}</dd>
</dl>
</section>
</main></body>
</html>
"""


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
