"""Figures of the quality report, as SVG text."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from endcap.contracts.evaluation import Figure, SegmentFigures
from endcap.evaluation.drawing import ACCENT, QUIET, SECOND, drawing
from endcap_benchmarks.quality.metric_columns import CHECKS, ranked_models
from endcap_benchmarks.quality.quality_report import ModelResult, TruthResult


def metric_bars(truth: TruthResult, costs: Mapping[str, ModelResult], metric: str, label: str) -> str:
    """One metric of every model as a bar with its interval, best on top; the line is the best baseline."""
    names = _shown(truth, metric)[::-1]
    figures = [truth.models[name][metric] for name in names]
    with drawing(7.4, 0.3 * len(names) + 0.9) as (axes, svg):
        axes.barh(range(len(names)), [each.mean for each in figures], color=[_colour(name, truth, costs) for name in names], height=0.66)
        _whiskers(axes, figures, list(range(len(names))))
        for place, figure in enumerate(figures):
            axes.annotate(f"{figure.mean:.4f}", (figure.high, place), xytext=(6, 0), textcoords="offset points", va="center", fontsize=9)
        if truth.baseline in names:
            axes.axvline(truth.models[truth.baseline][metric].mean, color=SECOND, linewidth=1, linestyle="--")
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(-0.6, len(names) - 0.4)
        axes.set_xlim(0, 1.14 * max((each.high for each in figures), default=1.0) or 1.0)
        axes.grid(axis="y", visible=False)
        axes.set_xlabel(label)
    return svg[0]


def segment_dots(segments: Mapping[str, SegmentFigures], models: Sequence[str], metric: str, label: str) -> str:
    """Some models side by side in every segment, with intervals."""
    names = list(segments)
    colours = (ACCENT, SECOND, QUIET)
    step = 0.22
    with drawing(7.4, 0.48 * len(names) + 1.2) as (axes, svg):
        for number, (model, colour) in enumerate(zip(models, colours, strict=False)):
            places = [len(names) - 1 - place + step * ((len(models) - 1) / 2 - number) for place in range(len(names))]
            figures = [segments[name].models[model][metric] for name in names]
            axes.hlines(places, [each.low for each in figures], [each.high for each in figures], color=colour, linewidth=3, alpha=0.4)
            axes.plot([each.mean for each in figures], places, "o", color=colour, markersize=6, label=model)
        axes.set_yticks(
            [len(names) - 1 - place for place in range(len(names))], [f"{name}  (n={segments[name].users:,})" for name in names]
        )
        axes.set_xlim(left=0)
        axes.grid(axis="y", visible=False)
        axes.set_xlabel(label)
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(models), frameon=False)
    return svg[0]


def accuracy_against_time(truth: TruthResult, costs: Mapping[str, ModelResult], metric: str, label: str) -> str:
    """What each second of learning buys: a dot a model, time on a logarithmic axis."""
    shown = [(name, max(costs[name].fit_s or 0.0, 0.01), truth.models[name][metric]) for name in _shown(truth, metric)]
    with drawing(7.4, 5.2) as (axes, svg):
        for name, seconds, figure in shown:
            colour = _colour(name, truth, costs)
            axes.plot([seconds, seconds], [figure.low, figure.high], color=colour, linewidth=2, alpha=0.4)
            axes.plot([seconds], [figure.mean], "o", color=colour, markersize=6)
        _label(axes, [(name, seconds, figure.mean) for name, seconds, figure in shown])
        axes.set_xscale("log")
        axes.set_ylim(bottom=0)
        axes.margins(x=0.18)
        axes.set_xlabel("seconds of learning")
        axes.set_ylabel(label)
    return svg[0]


def _shown(truth: TruthResult, metric: str) -> list[str]:
    return [name for name in ranked_models(truth.models, metric) if name not in CHECKS]


def _label(axes: Any, dots: Sequence[tuple[str, float, float]]) -> None:
    """Names beside dots; one that would stand on another's is left out."""
    highest = max((value for _, _, value in dots), default=1.0) or 1.0
    taken: list[tuple[float, float]] = []
    for name, seconds, value in dots:
        place = (math.log10(seconds), value / highest)
        if any(abs(place[0] - x) < 0.9 and abs(place[1] - y) < 0.035 for x, y in taken):
            continue
        taken.append(place)
        axes.annotate(name, (seconds, value), xytext=(6, 3), textcoords="offset points", fontsize=8.5)


def _whiskers(axes: Any, figures: Sequence[Figure], places: list[int]) -> None:
    axes.hlines(places, [each.low for each in figures], [each.high for each in figures], color="#22282c", linewidth=1.4)


def _colour(name: str, truth: TruthResult, costs: Mapping[str, ModelResult]) -> str:
    if name == truth.baseline:
        return SECOND
    return QUIET if costs[name].is_baseline else ACCENT
