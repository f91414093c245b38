"""From ranked lists to figures with intervals, for all users and for every segment."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.contracts.evaluation import DEEP_K, MAIN_K, Figure, SegmentFigures, TruthFigures
from endcap.evaluation.accuracy import ACCURACY, accuracy
from endcap.evaluation.beyond_accuracy import attribute_diversity, coverage, diversity, novelty, share_new
from endcap.evaluation.bootstrap import Resamples
from endcap.evaluation.purchase_log import UserItems
from endcap.evaluation.ranked_lists import RankedLists
from endcap.evaluation.segments import large_enough

ACCURACY_KS = (5, MAIN_K, 20)


@dataclass(frozen=True)
class JudgedCatalogue:
    """What the metrics beyond accuracy need to know of items; n items by index.

    Attributes:
        category: int32 [n + 1], finest category.
        buyer_share: float64 [n + 1], share of users who bought the item before the cut.
        eligible_count: items that may be recommended.
        attributes: int32 [n + 1, a], codes of attributes, 0 for none; what diversity is judged by where no category is known.
        bought: what the users had bought before, by the rows of the lists; None where nobody asks how much of a list is new.
    """

    category: NDArray[np.int32]
    buyer_share: NDArray[np.float64]
    eligible_count: int
    attributes: NDArray[np.int32] | None = None
    bought: UserItems | None = None


@dataclass(frozen=True)
class Judgement:
    """Figures of one truth, and the per-user values behind them."""

    figures: TruthFigures
    per_user: pl.DataFrame


def judge(
    lists: Mapping[str, RankedLists],
    truth: UserItems,
    catalogue: JudgedCatalogue,
    segments: Mapping[str, NDArray[np.bool_]],
    user_ids: Sequence[str],
    *,
    baseline: str,
    seed: int,
) -> Judgement:
    """Judge every model's lists against one truth.

    Args:
        lists: by model, all of the same users.
        truth: pairs; users without any are left out.
        catalogue: of the same item indices.
        segments: bool [users] by name.
        user_ids: of the users, by row.
        baseline: the model that differences subtract.
        seed: of the resamples.
    """
    judged = truth.counts > 0
    size = truth.counts[judged]
    values = {name: values_by_user(each, truth, catalogue, judged) for name, each in lists.items()}
    resamples = Resamples(int(judged.sum()), seed)
    figures = figures_of(values, resamples)
    for name, each in lists.items():
        covered = coverage(each.items[judged, :MAIN_K], catalogue.eligible_count, resamples)
        figures[name][f"coverage@{MAIN_K}"] = Figure(**asdict(covered))
    differences = {name: difference(columns, values[baseline]) for name, columns in values.items() if name != baseline}
    parts = large_enough({name: rows[judged] for name, rows in segments.items()})
    return Judgement(
        figures=TruthFigures(
            users=int(judged.sum()),
            items_per_user=float(size.mean()),
            models=figures,
            differences=figures_of(differences, resamples),
            segments={name: _segment(values, rows, seed) for name, rows in parts.items()},
        ),
        per_user=_frame(values, np.array(user_ids, dtype=np.str_)[judged]),
    )


def values_by_user(
    lists: RankedLists,
    truth: UserItems,
    catalogue: JudgedCatalogue,
    judged: NDArray[np.bool_],
    *,
    ks: Sequence[int] = ACCURACY_KS,
    main_k: int = MAIN_K,
) -> dict[str, NDArray[np.float64]]:
    """Every metric of one model's lists for every judged user, float64 [judged users] by name, for example ndcg@10.

    Args:
        lists: of all users.
        truth: of all users.
        catalogue: of the same item indices.
        judged: bool [users], those with something in the truth.
        ks: depths of accuracy.
        main_k: depth of what is not accuracy.
    """
    hits, size = lists.hits(truth)[judged], truth.counts[judged]
    values = {}
    for k in ks:
        found = accuracy(hits, size, k)
        values.update({f"{name}@{k}": found[name] for name in ACCURACY})
    if lists.k >= DEEP_K:
        values[f"recall@{DEEP_K}"] = accuracy(hits, size, DEEP_K)["recall"]
    top = lists.items[judged, :main_k]
    if catalogue.category.any():
        values[f"diversity@{main_k}"] = diversity(top, catalogue.category)
    elif catalogue.attributes is not None and catalogue.attributes.any():
        values[f"diversity@{main_k}"] = attribute_diversity(top, catalogue.attributes)
    values[f"novelty@{main_k}"] = novelty(top, catalogue.buyer_share)
    if catalogue.bought is not None:
        had = RankedLists(lists.items[:, :main_k]).hits(catalogue.bought)[judged]
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


def difference(values: Mapping[str, NDArray[np.float64]], baseline: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    """By metric that both have, what each user's value is above the baseline's."""
    return {metric: column - baseline[metric] for metric, column in values.items() if metric in baseline}


def _segment(values: Mapping[str, Mapping[str, NDArray[np.float64]]], rows: NDArray[np.bool_], seed: int) -> SegmentFigures:
    part = {model: {metric: column[rows] for metric, column in columns.items()} for model, columns in values.items()}
    users = int(rows.sum())
    return SegmentFigures(users=users, models=figures_of(part, Resamples(users, seed)))


def _frame(values: Mapping[str, Mapping[str, NDArray[np.float64]]], user_ids: NDArray[np.str_]) -> pl.DataFrame:
    """One row a user and model."""
    return pl.concat(
        [pl.DataFrame({"user_id": user_ids, "model": [model] * len(user_ids), **columns}) for model, columns in values.items()],
        how="diagonal",
    )
