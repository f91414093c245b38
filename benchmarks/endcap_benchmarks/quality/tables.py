"""The tables of docs/quality.md, made from the results."""

from collections.abc import Iterator
from pathlib import Path

from endcap.contracts.evaluation import Figure
from endcap_benchmarks.quality.console_table import TRUTH_TITLES
from endcap_benchmarks.quality.metric_columns import best_models, metric_columns, present_columns, ranked_models, significance_mark
from endcap_benchmarks.quality.quality_report import QualityReport, TaskResult, TruthResult
from endcap_benchmarks.record import RESULTS


def markdown_of(name: str, results: Path = RESULTS) -> str:
    """The section of `NAME.json` in the folder of results.

    Raises:
        FileNotFoundError: there is none.
    """
    return markdown(QualityReport.model_validate_json((results / f"{name}.json").read_bytes()))


def markdown(report: QualityReport) -> str:
    """One report: the command, what kind of data, a table a truth, windows, what failed."""
    return "\n\n".join(_parts(report))


def _parts(report: QualityReport) -> Iterator[str]:
    data = report.data
    yield f"```sh\n{report.command}\n```"
    users, had, done = ("visits", "seen", "events") if data.of_visits else ("users", "bought", "purchases")
    yield (
        f"{data.users:,} {users}, {data.items:,} items {had}, {data.purchases:,} {done}, density {data.density:.3%}. "
        f"{data.says[0].upper()}{data.says[1:]}"
    )
    for name, truth in report.main.truths.items():
        yield _caption(report.main, name, truth, "moments of visits" if data.of_visits else "users")
        yield _table(report, truth)
        if report.days:
            yield f"HR@{report.k} less that of `{truth.baseline}`, paired; visits are resampled as wholes:"
            yield _hit_rates(report, truth)
    if report.pooled:
        for name in report.main.truths:
            yield f"NDCG@{report.k} by window, {TRUTH_TITLES.get(name, name)}:"
            yield _windows(report, name)
    # Of visits there is one baseline, and every table has the differences from it.
    compared = {} if report.days else {name: truth for name, truth in report.main.truths.items() if truth.against}
    for name, truth in compared.items():
        yield f"NDCG@{report.k} less each baseline's, paired by user, {TRUTH_TITLES.get(name, name)}:"
        yield _against(report, truth)
    for name, failure in report.failures.items():
        yield f"`{name}` failed: {failure}"


def _caption(task: TaskResult, name: str, truth: TruthResult, who: str) -> str:
    title = TRUTH_TITLES.get(name, f"each user's {name}")
    known = f"; {truth.known_share:.1%} of them could be known" if truth.known_share is not None else ""
    return (
        f"{title[0].upper()}{title[1:]} ({task.name}): {truth.users:,} {who}, {truth.items_per_user:.1f} items each, out of "
        f"{task.items:,}{known}; the best baseline is `{truth.baseline}`."
    )


def _table(report: QualityReport, truth: TruthResult) -> str:
    first, *others = present_columns(truth, report.k)
    best = best_models(truth, report.k)
    lines = [["model", first.title, "to baseline", *(column.title for column in others), "learning s", "MiB"]]
    for model in ranked_models(truth.models, first.key):
        figures, costs = truth.models[model], report.models[model]
        difference = truth.differences.get(model, {}).get(first.key)
        cells = [f"`{model}`", _marked(f"{figures[first.key].mean:.4f}", best.get(first.key) == model) + f" {_span(figures[first.key], 4)}"]
        cells.append(f"{difference.mean:+.4f} {_span(difference, 4)}{significance_mark(truth, model, first.key)}" if difference else "")
        for column in others:
            found = figures.get(column.key)
            cells.append(_marked(f"{found.mean:.{column.decimals}f}", best.get(column.key) == model) if found else "")
        spread = truth.seed_spread.get(model, {}).get(first.key)
        if spread is not None:
            cells[0] += f" ({len(costs.seeds)} seeds, ±{spread:.4f})"
        cells += [f"{costs.fit_s:,.1f}" if costs.fit_s is not None else "", f"{costs.peak_memory_mib or 0:,.0f}"]
        lines.append(cells)
    return _rows(lines)


def _hit_rates(report: QualityReport, truth: TruthResult) -> str:
    metric = f"hr@{report.k}"
    lines = [["model", f"HR@{report.k}", "difference"]]
    for model in ranked_models(truth.models, metric):
        difference = truth.differences.get(model, {}).get(metric)
        found = f"{difference.mean:+.4f} {_span(difference, 4)}" if difference else ""
        figure = truth.models[model][metric]
        lines.append([f"`{model}`", f"{figure.mean:.4f} {_span(figure, 4)}", found])
    return _rows(lines)


def _windows(report: QualityReport, truth: str) -> str:
    metric = metric_columns(report.k)[0].key
    lines = [["model", *(task.name for task in report.tasks)]]
    for model in ranked_models(report.main.truths[truth].models, metric):
        found = [task.truths[truth].models.get(model, {}).get(metric) if truth in task.truths else None for task in report.tasks]
        lines.append([f"`{model}`", *(f"{figure.mean:.4f} {_span(figure, 4)}" if figure else "" for figure in found)])
    return _rows(lines)


def _against(report: QualityReport, truth: TruthResult) -> str:
    metric = metric_columns(report.k)[0].key
    baselines = [name for name in ranked_models(truth.models, metric) if report.models[name].is_baseline]
    models = [name for name in ranked_models(truth.models, metric) if name in truth.against]
    lines = [["baseline", *(f"`{model}`" for model in models)]]
    for baseline in baselines:
        found = [truth.against[model][baseline] for model in models]
        lines.append([f"`{baseline}`", *(f"{figure.mean:+.4f} {_span(figure, 4)}" for figure in found)])
    return _rows(lines)


def _rows(lines: list[list[str]]) -> str:
    head, *body = lines
    rule = ["---", *(["---:"] * (len(head) - 1))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, rule, *body])


def _span(figure: Figure, decimals: int) -> str:
    return f"[{figure.low:.{decimals}f}, {figure.high:.{decimals}f}]"


def _marked(text: str, is_best: bool) -> str:
    return f"**{text}**" if is_best else text
