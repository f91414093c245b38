"""Figures of the evaluation report, as SVG text."""

from collections.abc import Mapping, Sequence

from endcap.contracts.evaluation import FULL, Figure, Reliability, SegmentFigures
from endcap.evaluation.drawing import ACCENT, QUIET, SECOND, drawing


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
            colour = ACCENT if name in (FULL, "two_tower") else QUIET
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
        for colour, (objective, each) in zip((ACCENT, SECOND), reliability.items(), strict=False):
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


def model_title(name: str) -> str:
    """A model's or an objective's name as a reader says it."""
    return "whole pipeline" if name == FULL else name.replace("_", " ")
