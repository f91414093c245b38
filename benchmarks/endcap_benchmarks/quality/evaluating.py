"""From the lists of many models, seeds and tasks to figures against the best baseline, with p-values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.contracts.evaluation import DEEP_K, Figure
from endcap.evaluation.accuracy import ACCURACY
from endcap.evaluation.bootstrap import Resamples
from endcap.evaluation.evaluate_lists import CatalogueFacts, EvaluatedLists, evaluate_lists, figures_of, mean_figure
from endcap.evaluation.significance import holm, paired_p_value
from endcap_benchmarks.quality.quality_report import Difference, TaskResult, TruthResult
from endcap_benchmarks.quality.runs import ModelRuns
from endcap_benchmarks.quality.task import RankingTask

SEED = 20171204
"""Of the resamples: the same report comes out of the same lists."""


@dataclass(frozen=True)
class Comparison:
    """Compares models at depth `k`, with accuracy at `depths` too; `baselines` are the names of what others have to beat."""

    k: int
    baselines: frozenset[str]
    depths: tuple[int, ...] = ()

    @property
    def main_metric(self) -> str:
        return f"ndcg@{self.k}"

    @property
    def compared(self) -> tuple[str, ...]:
        """Metrics that differences are of."""
        return (*(f"{name}@{self.k}" for name in ACCURACY), f"recall@{DEEP_K}")

    def evaluated(self, task: RankingTask, truth: str, runs: Sequence[ModelRuns]) -> EvaluatedLists:
        """What each model that ran is worth to each user of one truth."""
        catalogue = CatalogueFacts(
            category=task.items.leaf_code,
            buyer_share=task.buyer_share,
            eligible_count=task.item_count,
            attributes=task.training.attributes,
            bought=task.bought,
        )
        by_model = {
            each.entry.name: [record.lists[truth] for record in each.by_task.get(task.name, [])] for each in runs if not each.failure
        }
        lists = {name: of_seeds for name, of_seeds in by_model.items() if of_seeds}
        pairs = task.truths[truth].items
        return evaluate_lists(lists, pairs, catalogue, task.segments, task.user_ids, seed=SEED, ks=(self.k, *self.depths), main_k=self.k)

    def result(self, lists: EvaluatedLists, known_share: float | None = None) -> TruthResult:
        """Figures of one truth, with differences from its best baseline; rows of the same user, such as a visit, are resampled together."""
        resamples = Resamples.by_id(lists.user_ids, SEED)
        models = lists.models(resamples)
        baseline = self._best_baseline(models)
        return TruthResult(
            users=len(lists.user_ids),
            items_per_user=lists.items_per_user,
            baseline=baseline,
            models=models,
            seed_spread={
                name: {metric: float(np.std(means, ddof=1)) for metric, means in columns.items()}
                for name, columns in lists.seed_means.items()
                if len(next(iter(columns.values()))) > 1
            },
            differences=self._differences(lists, baseline, resamples),
            against=self._against(lists, resamples),
            segments=lists.segment_figures(SEED, (self.main_metric, f"hr@{self.k}", f"recall@{self.k}")),
            known_share=known_share,
        )

    def _best_baseline(self, models: Mapping[str, Mapping[str, Figure]]) -> str:
        among = [name for name in models if name in self.baselines] or list(models)
        return max(among, key=lambda name: models[name][self.main_metric].mean, default="")

    def _differences(self, lists: EvaluatedLists, baseline: str, resamples: Resamples) -> dict[str, dict[str, Difference]]:
        others = {
            name: {metric: values for metric, values in columns.items() if metric in self.compared}
            for name, columns in lists.differences(baseline).items()
        }
        figures = figures_of(others, resamples)
        p_values = {
            metric: holm({name: paired_p_value(columns[metric]) for name, columns in others.items() if metric in columns})
            for metric in self.compared
        }
        return {
            name: {metric: Difference(**figure.model_dump(), p_value=p_values[metric][name]) for metric, figure in columns.items()}
            for name, columns in figures.items()
        }

    def _against(self, lists: EvaluatedLists, resamples: Resamples) -> dict[str, dict[str, Difference]]:
        found: dict[str, dict[str, Difference]] = {}
        baselines = [name for name in lists.values if name in self.baselines]
        for model, columns in lists.values.items():
            if model in self.baselines or not baselines:
                continue
            paired = {name: columns[self.main_metric] - lists.values[name][self.main_metric] for name in baselines}
            figures = figures_of({"paired": paired}, resamples)["paired"]
            p_values = holm({name: paired_p_value(values) for name, values in paired.items()})
            found[model] = {name: Difference(**figure.model_dump(), p_value=p_values[name]) for name, figure in figures.items()}
        return found


def compare_models(
    comparison: Comparison, tasks: Sequence[RankingTask], runs: Sequence[ModelRuns]
) -> tuple[list[TaskResult], TaskResult | None]:
    """Each task's figures, and those of all tasks together where there are several."""
    by_truth: dict[str, list[EvaluatedLists]] = {}
    results = []
    for task in tasks:
        evaluated = {name: comparison.evaluated(task, name, runs) for name, truth in task.truths.items() if truth.items.counts.any()}
        for name, lists in evaluated.items():
            by_truth.setdefault(name, []).append(lists)
        truths = {name: comparison.result(lists, known_share(task, name)) for name, lists in evaluated.items() if lists.values}
        results.append(TaskResult(name=task.name, users=task.users, items=task.item_count, truths=truths))
    if len(tasks) == 1:
        return results, None
    together = {name: pooled(parts) for name, parts in by_truth.items()}
    windows = TaskResult(
        name=f"{len(tasks)} windows",
        users=max((len(lists.user_ids) for lists in together.values()), default=0),
        items=max(task.item_count for task in tasks),
        truths={name: comparison.result(lists) for name, lists in together.items() if lists.values},
    )
    return results, windows


def known_share(task: RankingTask, truth: str) -> float:
    """Share of a truth's items that anybody had in what is learned from."""
    known = np.bincount(task.training.interactions.item_index, minlength=task.item_count + 1) > 0
    return float(known[task.truths[truth].items.item_index].mean())


def pooled(parts: Sequence[EvaluatedLists]) -> EvaluatedLists:
    """Each user once, with the mean over the tasks the user is in, so that resamples draw people and not their windows."""
    user_ids, place = np.unique(np.concatenate([part.user_ids for part in parts]), return_inverse=True)
    times = np.bincount(place, minlength=len(user_ids))
    models = [name for name in parts[0].values if all(name in part.values for part in parts)]

    def mean(columns: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        return np.asarray(np.bincount(place, weights=np.concatenate(columns), minlength=len(user_ids)) / times)

    seeds = {name: min(len(next(iter(part.seed_means[name].values()))) for part in parts) for name in models}
    return EvaluatedLists(
        user_ids=user_ids,
        items_per_user=float(np.mean([part.items_per_user for part in parts])),
        values={name: {metric: mean([part.values[name][metric] for part in parts]) for metric in parts[0].values[name]} for name in models},
        seed_means={
            name: {
                metric: [float(np.mean([part.seed_means[name][metric][seed] for part in parts])) for seed in range(seeds[name])]
                for metric in parts[0].values[name]
            }
            for name in models
        },
        coverage={name: mean_figure([part.coverage[name] for part in parts]) for name in models},
        coverage_k=parts[0].coverage_k,
        segments=_last_segments(parts, user_ids),
    )


def _last_segments(parts: Sequence[EvaluatedLists], user_ids: NDArray[np.str_]) -> dict[str, NDArray[np.bool_]]:
    """Users as the last task that they are in saw them; a part whose limits differ between tasks is left to the tasks."""
    names = [name for name in parts[0].segments if all(name in part.segments for part in parts)]
    segments = {name: np.zeros(len(user_ids), dtype=bool) for name in names}
    for part in parts:
        rows = np.searchsorted(user_ids, part.user_ids)
        for name in names:
            segments[name][rows] = part.segments[name]
    return segments
