"""The evaluation report: one HTML page that needs nothing beside it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from endcap.contracts.evaluation import (
    ALL,
    AS_SHOWN,
    FULL,
    NEW,
    ORDERED,
    TRUTHS,
    VISIT_METRIC,
    Evaluation,
    Figure,
    Reliability,
    SegmentFigures,
    TruthFigures,
)
from endcap.contracts.learned_from import CANDIDATES_BY
from endcap.core.files import replace_text
from endcap.evaluation.report_style import ACCENT, CURVES, QUIET, SECOND, STYLE, drawing

DECISION_PLACE = "<!-- the gate's decision -->"
"""Where the gate, which comes after the evaluation, writes what it said."""

PAGE = """{% macro table(shown) -%}
<div class="scroll"><table>
<thead><tr><th>model</th>{% for metric in shown.metrics %}<th>{{ metric }}</th>{% endfor %}</tr></thead>
<tbody>{% for row in shown.rows %}<tr{% if row.is_served %} class="full"{% endif %}><td>{{ row.model }}</td>
{% for figure, is_best in row.cells %}<td{% if is_best %} class="best"{% endif %}>{% if figure %}{{ "%.3f"|format(figure.mean) }}
<small>{{ "%.3f"|format(figure.low) }} to {{ "%.3f"|format(figure.high) }}</small>{% else %}-{% endif %}</td>{% endfor %}</tr>
{% endfor %}</tbody></table></div>
{%- endmacro -%}
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Evaluation up to {{ evaluation.data_end.date() }}</title>
<style>{{ style|safe }}</style>
</head>
<body><main>
<h1>Evaluation</h1>
<p class="soft">Weights saw {{ evaluation.data_start.date() }} to {{ evaluation.cut.date() }};
{% if truths %}lists are judged by the {{ evaluation.horizon_days }} days from there on. Intervals: 95 %, bootstrap over users.
{%- elif visits %}lists are judged by what came next in the visits from there on. Intervals: 95 %, bootstrap over visits.
{%- else %}nobody bought on both sides of that, so no list could be judged.{% endif %}</p>
<div class="cards">
{% for card in headline %}<div class="card"><b>{{ card.value }}</b>{{ card.text }}<br><small>{{ card.against }}</small></div>
{% endfor %}</div>
<!-- the gate's decision -->
<section>
<h2>What orders the list</h2>
<ul>{% for each in order %}<li>{{ each }}</li>{% endfor %}</ul>
</section>
{% if visits %}<section>
<h2>What comes next in a visit</h2>
<p class="soft">{{ "{:,}".format(evaluation.visits.moments) }} moments of {{ "{:,}".format(evaluation.visits.visits) }} visits; of
{{ "%.0f"|format(100 * evaluation.visits.could_be_found) }} % the next item could be in a list. The best of each column is set bold.</p>
{{ table(visits) }}
</section>
{% endif %}{% for truth in truths %}
<section>
<h2>{{ truth.title[0]|upper }}{{ truth.title[1:] }}</h2>
<p class="soft">{{ "{:,}".format(truth.figures.users) }} users with {{ "%.1f"|format(truth.figures.items_per_user) }} items each on average.
The best of each column is set bold.</p>
{{ table(truth) }}
<div class="plots">
<figure><figcaption>Ranking</figcaption>{{ truth.ndcg }}</figure>
<figure><figcaption>Retrieval</figcaption>{{ truth.recall }}</figure>
</div>
{% if truth.segments %}<div class="plots"><figure><figcaption>By segment, against {{ truth.baseline }}</figcaption>
{{ truth.segments }}</figure></div>{% endif %}
</section>
{% endfor %}
{% if evaluation.reliability %}<section>
<h2>Calibration of what orders the list</h2>
<p class="soft">Candidates in bins of equal size: what was said, and what happened.</p>
<div class="plots"><figure>{{ reliability }}</figure></div>
</section>
{% endif %}<section>
<h2>Data</h2>
<dl>
<dt>events</dt><dd>{{ evaluation.data_start.isoformat() }} to {{ evaluation.data_end.isoformat() }}</dd>
<dt>models</dt><dd>{{ taught }}</dd>
{% for note in evaluation.notes %}<dt>signals</dt><dd>{{ note }}</dd>
{% endfor %}<dt>cut</dt><dd>{{ evaluation.cut.isoformat() }}</dd>
<dt>items that may be recommended</dt>
<dd>{{ "{:,}".format(evaluation.eligible_items) }} ({{ candidates_by }}; at least {{ evaluation.min_buyers }} of them)</dd>
<dt>candidates a user</dt><dd>at most {{ "{:,}".format(evaluation.candidates_max) }}</dd>
<dt>dataset</dt><dd><code>{{ evaluation.dataset_fingerprint }}</code></dd>
</dl>
<p class="soft" style="margin-top:14px">Diversity: share of a list's pairs from different categories. Novelty: mean self-information of a
list's items in bits. Coverage: share of the catalogue that stands in at least one list.</p>
</section>
</main></body>
</html>
"""


def model_intervals(models: Mapping[str, Mapping[str, Figure]], metric: str, label: str) -> str:
    """One metric of every model as a dot with its interval, best on top.

    Args:
        models: by model and metric.
        metric: for example ndcg@10.
        label: of the axis.
    """
    rows = sorted(((name, figures[metric]) for name, figures in models.items() if metric in figures), key=lambda row: row[1].mean)
    with drawing(6.2, 0.42 * len(rows) + 0.9) as (axes, svg):
        for place, (name, figure) in enumerate(rows):
            colour = ACCENT if name in TITLES or name == "two_tower" else QUIET
            axes.plot([figure.low, figure.high], [place, place], color=colour, linewidth=3, alpha=0.45, solid_capstyle="round")
            axes.plot([figure.mean], [place], "o", color=colour, markersize=8)
            axes.annotate(f"{figure.mean:.3f}", (figure.high, place), xytext=(8, 0), textcoords="offset points", va="center", fontsize=9.5)
        axes.set_yticks(range(len(rows)), [model_title(name) for name, _ in rows])
        axes.set_ylim(-0.6, len(rows) - 0.4)
        axes.set_xlim(left=0)
        axes.margins(x=0.12)
        axes.grid(axis="y", visible=False)
        axes.set_xlabel(label)
    return svg[0]


def segment_comparison(segments: Mapping[str, SegmentFigures], models: Sequence[str], metric: str, label: str) -> str:
    """Two models side by side in every segment."""
    names = [name for name, figures in segments.items() if all(metric in figures.models.get(model, {}) for model in models)]
    with drawing(7.2, 0.5 * len(names) + 1.1) as (axes, svg):
        for shift, colour, model in zip((0.14, -0.14), (ACCENT, SECOND), models, strict=True):
            figures = [segments[name].models[model][metric] for name in names]
            places = [len(names) - 1 - place + shift for place in range(len(names))]
            axes.hlines(places, [each.low for each in figures], [each.high for each in figures], color=colour, linewidth=3, alpha=0.4)
            axes.plot([each.mean for each in figures], places, "o", color=colour, markersize=7, label=model_title(model))
        axes.set_yticks([len(names) - 1 - place for place in range(len(names))], [f"{name}  (n={segments[name].users})" for name in names])
        axes.set_xlim(left=0)
        axes.set_ylim(-0.6, len(names) - 0.4)
        axes.grid(axis="y", visible=False)
        axes.set_xlabel(label)
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False)
    return svg[0]


def reliability_curves(reliability: Mapping[str, Reliability]) -> str:
    """Predicted against observed probability of every objective, on logarithmic axes; the diagonal is perfect."""
    with drawing(5.4, 4.4) as (axes, svg):
        seen = [max(value, 1e-4) for each in reliability.values() for bin_ in each.bins for value in (bin_.predicted, bin_.observed)]
        low, high = (min(seen) / 1.5, min(1.0, max(seen) * 1.5)) if seen else (1e-4, 1.0)
        axes.plot([low, high], [low, high], "--", color=QUIET, linewidth=1.2, label="perfect")
        for colour, (objective, each) in zip(CURVES, reliability.items(), strict=False):
            axes.plot(
                [bin_.predicted for bin_ in each.bins],
                [max(bin_.observed, 1e-4) for bin_ in each.bins],
                "o-",
                color=colour,
                markersize=5,
                linewidth=1.4,
                label=f"{model_title(objective)} (error {each.error:.4f})",
            )
        axes.set(xscale="log", yscale="log", xlim=(low, high), ylim=(low, high))
        axes.set_xlabel("predicted probability")
        axes.set_ylabel("share that came true")
        axes.legend(frameon=False, loc="upper left")
    return svg[0]


TITLES = {FULL: "whole pipeline", ORDERED: "the method in the ranker's place", AS_SHOWN: "the list as shown"}


def model_title(name: str) -> str:
    """A model's or an objective's name as a reader says it."""
    return TITLES.get(name) or name.replace("_", " ")


def table_metrics(evaluation: Evaluation) -> tuple[str, ...]:
    """Columns of the tables, at the depths of the evaluation."""
    k = evaluation.main_k
    accuracy = tuple(f"{name}@{k}" for name in ("ndcg", "precision", "recall", "hr", "mrr"))
    deep = () if evaluation.deep_k == k else (evaluation.retrieval_metric,)
    return (*accuracy, *deep, *(f"{name}@{k}" for name in ("coverage", "diversity", "novelty")))


def write_report(path: Path, evaluation: Evaluation) -> None:
    """Render the page and put it in place once it is whole."""
    import jinja2

    template = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string(PAGE)
    page = template.render(
        style=STYLE,
        evaluation=evaluation,
        truths=[_truth_section(name, figures, evaluation) for name, figures in evaluation.truths.items()],
        visits=_visit_section(evaluation),
        headline=_headline(evaluation),
        order=order_sentences(evaluation),
        taught=evaluation.learned_from,
        candidates_by=CANDIDATES_BY[evaluation.eligible_by],
        reliability=_drawing(reliability_curves(evaluation.reliability)),
    )
    replace_text(path, page)


def _drawing(svg: str) -> Any:
    """Our own drawing, which the template must not escape."""
    from markupsafe import Markup

    return Markup(svg)  # noqa: S704 - made by matplotlib from numbers and our own names


def _headline(evaluation: Evaluation) -> list[dict[str, str]]:
    """The figures a reader looks for first."""
    ranking, retrieval = evaluation.ranking_metric, evaluation.retrieval_metric
    served, k = evaluation.served_model, evaluation.main_k
    cards = []
    for truth, metric, model, text in (
        (ALL, ranking, served, f"NDCG@{k} of {model_title(served)}"),
        (NEW, ranking, served, f"NDCG@{k} on items new to the user"),
        (NEW, retrieval, "two_tower", f"two-tower {retrieval} on new items"),
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
    if evaluation.visits is not None:
        figure = evaluation.visits.models[served][VISIT_METRIC]
        said = {"value": f"{figure.mean:.3f}", "text": f"{VISIT_METRIC} of what comes next in a visit"}
        cards.append({**said, "against": f"{figure.low:.3f} to {figure.high:.3f}"})
    return cards


def order_sentences(evaluation: Evaluation) -> list[str]:
    """What orders the list, what brings its candidates, and what becomes of it as it is shown."""
    ordering, shown = evaluation.ordering, evaluation.shown
    said = [ordering.reason, ordering.retrieval_reason]
    if shown is not None:
        of_loss = f"{shown.loss.mean:+.4f} [{shown.loss.low:+.4f}, {shown.loss.high:+.4f}] {evaluation.ranking_metric}"
        if shown.value:
            said.append(f"surface {shown.surface} orders by {value_product(shown.value)}{_ignored(shown.ignored)}")
        said.append(shown.warning or f"as surface {shown.surface} shows it: {of_loss} against the order it is made of")
    return [each[0].upper() + each[1:] for each in said if each]


def value_product(value: Mapping[str, float]) -> str:
    """A surface's value as a reader writes it: buy x cart^0.5."""
    return " x ".join(name.replace("_", " ") + (f"^{exponent:g}" if exponent != 1 else "") for name, exponent in value.items())


def _ignored(names: Sequence[str]) -> str:
    return f"; its value names {', '.join(names)}, for which nothing was trained" if names else ""


def _truth_section(name: str, figures: TruthFigures, evaluation: Evaluation) -> dict[str, Any]:
    baseline, ranking, retrieval = evaluation.baselines[name], evaluation.ranking_metric, evaluation.retrieval_metric
    metrics = [metric for metric in table_metrics(evaluation) if any(metric in columns for columns in figures.models.values())]
    best = {metric: max(columns[metric].mean for columns in figures.models.values() if metric in columns) for metric in metrics}
    compared = (evaluation.served_model, baseline)
    return {
        "title": TRUTHS[name],
        "figures": figures,
        "metrics": metrics,
        "rows": _rows(figures.models, metrics, best, evaluation),
        "baseline": model_title(baseline),
        "ndcg": _drawing(model_intervals(figures.models, ranking, f"NDCG@{evaluation.main_k} with 95 % interval")),
        "recall": _drawing(model_intervals(figures.models, retrieval, f"{retrieval} with 95 % interval")),
        "segments": _drawing(segment_comparison(figures.segments, compared, ranking, f"NDCG@{evaluation.main_k}"))
        if figures.segments
        else "",
    }


def _visit_section(evaluation: Evaluation) -> dict[str, Any] | None:
    if evaluation.visits is None:
        return None
    models = evaluation.visits.models
    metrics = list(next(iter(models.values())))
    best = {metric: max(columns[metric].mean for columns in models.values()) for metric in metrics}
    return {"metrics": metrics, "rows": _rows(models, metrics, best, evaluation)}


def _rows(
    models: Mapping[str, Mapping[str, Figure]], metrics: list[str], best: Mapping[str, float], evaluation: Evaluation
) -> list[dict[str, Any]]:
    served = evaluation.served_model
    return [_row(model, columns, metrics, best) | {"is_served": model == served} for model, columns in models.items()]


def _row(model: str, columns: Mapping[str, Figure], metrics: list[str], best: Mapping[str, float]) -> dict[str, Any]:
    cells = [(columns.get(metric), metric in columns and columns[metric].mean == best[metric]) for metric in metrics]
    return {"model": model_title(model), "cells": cells}
