"""From ranked lists to figures with intervals, for all users and for every segment."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.contracts.evaluation import DEEP_K, MAIN_K, Figure, SegmentFigures, TruthFigures
from endcap.evaluation.accuracy import ACCURACY, accuracy
from endcap.evaluation.beyond_accuracy import attribute_diversity, coverage, diversity, novelty, share_new
from endcap.evaluation.bootstrap import Resamples
from endcap.evaluation.ranked_lists import RankedLists
from endcap.evaluation.user_items import UserItems

ACCURACY_KS = (5, MAIN_K, 20)
SEGMENT_USERS_MIN = 30
"""Smaller segments are left out: their intervals would say nothing."""

Values = dict[str, NDArray[np.float64]]
"""By metric, for example ndcg@10, float64 [users]."""


@dataclass(frozen=True)
class CatalogueFacts:
    """What the metrics beyond accuracy need to know of items; n items by index.

    Attributes:
        category: int32 [n + 1], finest category.
        buyer_share: float64 [n + 1], share of users who bought the item before the cut.
        eligible_count: items that may be recommended.
        attributes: int32 [n + 1, a], codes of attributes, 0 for none; what diversity is measured by where no category is known.
        bought: what the users had bought before, by the rows of the lists; None where it does not matter how much of a list is new.
    """

    category: NDArray[np.int32]
    buyer_share: NDArray[np.float64]
    eligible_count: int
    attributes: NDArray[np.int32] | None = None
    bought: UserItems | None = None


@dataclass(frozen=True)
class EvaluatedLists:
    """What each model's lists are worth to the users of one truth.

    Attributes:
        user_ids: of the users with something in the truth.
        items_per_user: mean size of the truth.
        values: by model, mean over seeds.
        seed_means: by model and metric, the mean over users for each seed.
        coverage: by model.
        coverage_k: depth of coverage.
        segments: bool [users] by name.
    """

    user_ids: NDArray[np.str_]
    items_per_user: float
    values: dict[str, Values]
    seed_means: dict[str, dict[str, list[float]]]
    coverage: dict[str, Figure]
    coverage_k: int
    segments: Mapping[str, NDArray[np.bool_]]

    def models(self, resamples: Resamples) -> dict[str, dict[str, Figure]]:
        """Every figure by model and metric."""
        models = figures_of(self.values, resamples)
        for name, figure in self.coverage.items():
            models[name][f"coverage@{self.coverage_k}"] = figure
        return models

    def differences(self, baseline: str) -> dict[str, Values]:
        """By model other than the baseline, what each user's values are above the baseline's, for metrics that both have."""
        return {name: _above(columns, self.values[baseline]) for name, columns in self.values.items() if name != baseline}

    def segment_figures(self, seed: int, metrics: Collection[str] | None = None) -> dict[str, SegmentFigures]:
        """Figures of every segment that is large enough; `metrics` None for all."""
        found = {}
        for name, rows in large_enough(self.segments).items():
            part = {
                model: {metric: column[rows] for metric, column in columns.items() if metrics is None or metric in metrics}
                for model, columns in self.values.items()
            }
            users = int(rows.sum())
            found[name] = SegmentFigures(users=users, models=figures_of(part, Resamples(users, seed)))
        return found

    def figures(self, baseline: str, seed: int) -> TruthFigures:
        """All of it, `baseline` being the model that differences subtract and `seed` that of the resamples."""
        resamples = Resamples(len(self.user_ids), seed)
        return TruthFigures(
            users=len(self.user_ids),
            items_per_user=self.items_per_user,
            models=self.models(resamples),
            differences=figures_of(self.differences(baseline), resamples),
            segments=self.segment_figures(seed),
        )

    def per_user(self) -> pl.DataFrame:
        """One row a user and model, a column a metric."""
        return pl.concat(
            [
                pl.DataFrame({"user_id": self.user_ids, "model": [model] * len(self.user_ids), **columns})
                for model, columns in self.values.items()
            ],
            how="diagonal",
        )


def evaluate_lists(
    lists: Mapping[str, Sequence[RankedLists]],
    truth: UserItems,
    catalogue: CatalogueFacts,
    segments: Mapping[str, NDArray[np.bool_]],
    user_ids: Sequence[str],
    *,
    seed: int,
    ks: Sequence[int] = ACCURACY_KS,
    main_k: int = MAIN_K,
    deep_k: int = DEEP_K,
) -> EvaluatedLists:
    """Evaluate every model's lists against one truth.

    Args:
        lists: by model, one for each of its seeds, all of the same users.
        truth: pairs; users without any are left out.
        catalogue: of the same item indices.
        segments: bool [users] by name.
        user_ids: of the users, by row.
        seed: of the resamples.
        ks: depths of accuracy.
        main_k: depth of what is not accuracy.
        deep_k: depth of retrieval's recall, for models whose lists are so long.
    """
    has_truth = truth.counts > 0
    resamples = Resamples(int(has_truth.sum()), seed)
    values: dict[str, Values] = {}
    seed_means: dict[str, dict[str, list[float]]] = {}
    covered: dict[str, Figure] = {}
    for name, by_seed in lists.items():
        of_seeds = [_values_by_user(each, truth, catalogue, has_truth, ks=ks, main_k=main_k, deep_k=deep_k) for each in by_seed]
        values[name] = {metric: np.mean([one[metric] for one in of_seeds], axis=0) for metric in of_seeds[0]}
        seed_means[name] = {metric: [float(one[metric].mean()) for one in of_seeds] for metric in of_seeds[0]}
        covered[name] = mean_figure(
            [Figure(**asdict(coverage(each.items[has_truth, :main_k], catalogue.eligible_count, resamples))) for each in by_seed]
        )
    return EvaluatedLists(
        user_ids=np.array(user_ids, dtype=np.str_)[has_truth],
        items_per_user=float(truth.counts[has_truth].mean()),
        values=values,
        seed_means=seed_means,
        coverage=covered,
        coverage_k=main_k,
        segments={name: rows[has_truth] for name, rows in segments.items()},
    )


def _values_by_user(
    lists: RankedLists,
    truth: UserItems,
    catalogue: CatalogueFacts,
    has_truth: NDArray[np.bool_],
    *,
    ks: Sequence[int],
    main_k: int,
    deep_k: int,
) -> Values:
    """Every metric of one model's lists for every user with something in the truth."""
    hits, size = lists.hits(truth)[has_truth], truth.counts[has_truth]
    values = {}
    for k in ks:
        found = accuracy(hits, size, k)
        values.update({f"{name}@{k}": found[name] for name in ACCURACY})
    if lists.k >= deep_k:
        values[f"recall@{deep_k}"] = accuracy(hits, size, deep_k)["recall"]
    top = lists.items[has_truth, :main_k]
    if catalogue.category.any():
        values[f"diversity@{main_k}"] = diversity(top, catalogue.category)
    elif catalogue.attributes is not None and catalogue.attributes.any():
        values[f"diversity@{main_k}"] = attribute_diversity(top, catalogue.attributes)
    values[f"novelty@{main_k}"] = novelty(top, catalogue.buyer_share)
    if catalogue.bought is not None:
        had = RankedLists(lists.items[:, :main_k]).hits(catalogue.bought)[has_truth]
        values[f"new_share@{main_k}"] = share_new(top, had)
    return values


def figures_of(values: Mapping[str, Mapping[str, NDArray[np.float64]]], resamples: Resamples) -> dict[str, dict[str, Figure]]:
    """Means and intervals of every model's columns; all models in one pass over the resamples."""
    places = [(model, metric) for model, columns in values.items() for metric in columns]
    if not places:
        return {}
    intervals = resamples.means(np.column_stack([values[model][metric] for model, metric in places]))
    figures: dict[str, dict[str, Figure]] = {model: {} for model in values}
    for (model, metric), interval in zip(places, intervals, strict=True):
        figures[model][metric] = Figure(**asdict(interval))
    return figures


def mean_figure(figures: Sequence[Figure]) -> Figure:
    """The mean of means and of interval ends, of runs or tasks that are seen as one."""
    return Figure(
        mean=float(np.mean([each.mean for each in figures])),
        low=float(np.mean([each.low for each in figures])),
        high=float(np.mean([each.high for each in figures])),
    )


def history_terciles(history_length: NDArray[np.int64]) -> dict[str, NDArray[np.bool_]]:
    """Segments of about equal size by how many distinct items a user had bought; bool [users] by name."""
    low, high = np.quantile(history_length, [1 / 3, 2 / 3])
    return {
        f"history: up to {low:.0f} items": history_length <= low,
        f"history: {low:.0f} to {high:.0f} items": (history_length > low) & (history_length <= high),
        f"history: over {high:.0f} items": history_length > high,
    }


def by_value(name: str, values: Sequence[str]) -> dict[str, NDArray[np.bool_]]:
    """One segment a value that is known, bool [users] by name."""
    column = np.array(values, dtype=np.str_)
    return {f"{name}: {value}": column == value for value in np.unique(column) if value}


def large_enough(segments: Mapping[str, NDArray[np.bool_]]) -> dict[str, NDArray[np.bool_]]:
    """Segments with at least SEGMENT_USERS_MIN users."""
    return {name: rows for name, rows in segments.items() if rows.sum() >= SEGMENT_USERS_MIN}


def _above(values: Values, baseline: Values) -> Values:
    return {metric: column - baseline[metric] for metric, column in values.items() if metric in baseline}
