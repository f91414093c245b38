"""The metrics that tables show, in their order, and what each is called and means."""

from collections.abc import Mapping
from dataclasses import dataclass

from endcap.contracts.evaluation import DEEP_K, MAIN_K, Figure
from endcap.evaluation.significance import ALPHA
from endcap_benchmarks.quality.quality_report import TruthResult


@dataclass(frozen=True)
class MetricColumn:
    """One metric: its key in the report, a heading for a wide table and one for a narrow one, and what it means."""

    key: str
    title: str
    short: str
    meaning: str
    decimals: int = 4


def metric_columns(k: int) -> list[MetricColumn]:
    """All metrics at depth `k`, the main one first."""
    return [
        MetricColumn(f"ndcg@{k}", f"NDCG@{k}", f"NDCG@{k}", "hits, counted less the further down they stand; 1 is a perfect list"),
        MetricColumn(f"hr@{k}", f"HR@{k}", "HR", f"share of users with at least one hit among {k}"),
        MetricColumn(f"recall@{k}", f"recall@{k}", "recall", f"share of what a user bought that stands among {k}"),
        MetricColumn(f"precision@{k}", f"precision@{k}", "prec", f"share of the {k} places that are hits"),
        MetricColumn(f"mrr@{k}", f"MRR@{k}", "MRR", "1 over the place of the first hit"),
        *_at_main_k(k),
        MetricColumn(f"recall@{DEEP_K}", f"recall@{DEEP_K}", f"rec{DEEP_K}", f"share of what a user bought that stands among {DEEP_K}"),
        MetricColumn(f"coverage@{k}", "coverage", "cover", "share of the items that stand in at least one list", 3),
        MetricColumn(
            f"diversity@{k}", "diversity", "div", "how much a list's items differ in category, or in attributes where there are none", 3
        ),
        MetricColumn(f"novelty@{k}", "novelty", "novel", "mean surprise of a list's items in bits: 1 less for every doubling of buyers", 2),
        MetricColumn(f"new_share@{k}", "new items", "new", "share of a list's items that the user had never bought", 3),
    ]


def _at_main_k(k: int) -> list[MetricColumn]:
    """Accuracy at the usual depth beside that of longer lists."""
    if k == MAIN_K:
        return []
    return [
        MetricColumn(f"ndcg@{MAIN_K}", f"NDCG@{MAIN_K}", f"NDCG@{MAIN_K}", f"the same of the first {MAIN_K}"),
        MetricColumn(f"recall@{MAIN_K}", f"recall@{MAIN_K}", f"rec{MAIN_K}", f"share of what a user bought that stands among {MAIN_K}"),
    ]


def present_columns(truth: TruthResult, k: int) -> list[MetricColumn]:
    """Those that some model has."""
    return [column for column in metric_columns(k) if any(column.key in figures for figures in truth.models.values())]


CHECKS = ("oracle", "random")
"""Models that say something of the harness and nothing of recommending: never the best, and in no plot."""


def best_models(truth: TruthResult, k: int) -> dict[str, str]:
    """The model with the highest figure, by metric."""
    among = {name: figures for name, figures in truth.models.items() if name not in CHECKS} or truth.models
    keys = [column.key for column in present_columns(truth, k)]
    return {key: max((name for name in among if key in among[name]), key=lambda name: among[name][key].mean, default="") for key in keys}


def ranked_models(models: Mapping[str, Mapping[str, Figure]], metric: str) -> list[str]:
    """Names by a metric, best first."""
    return sorted((name for name in models if metric in models[name]), key=lambda name: -models[name][metric].mean)


def significance_mark(truth: TruthResult, model: str, metric: str) -> str:
    """* where a model is better than the best baseline beyond chance, - where it is worse, nothing between."""
    found = truth.differences.get(model, {}).get(metric)
    if found is None or found.p_value >= ALPHA:
        return ""
    return "*" if found.mean > 0 else "-"
