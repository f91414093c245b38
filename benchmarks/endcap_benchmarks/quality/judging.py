"""From lists to figures: every metric of every model, with intervals, against the best baseline, for all users and by segment."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.contracts.evaluation import DEEP_K, Figure, SegmentFigures
from endcap.evaluation.accuracy import ACCURACY
from endcap.evaluation.beyond_accuracy import coverage
from endcap.evaluation.bootstrap import Resamples
from endcap.evaluation.judgement import JudgedCatalogue, difference, figures_of, values_by_user
from endcap.evaluation.segments import large_enough
from endcap.evaluation.significance import holm, paired_p_value
from endcap_benchmarks.quality.quality_report import Difference, TaskResult, TruthResult
from endcap_benchmarks.quality.runs import ModelRuns
from endcap_benchmarks.quality.task import RankingTask

SEED = 20171204
"""Of the resamples: the same report comes out of the same lists."""

Values = dict[str, NDArray[np.float64]]
"""By metric, float64 [users]."""


@dataclass(frozen=True)
class JudgedUsers:
    """One truth's users and what each model's lists are worth to them.

    Attributes:
        user_ids: of the judged users.
        items_per_user: mean size of the truth.
        values: by model, mean over seeds.
        seed_means: by model and metric, the mean over users for each seed.
        coverage: by model.
        segments: bool [users] by name.
    """

    user_ids: NDArray[np.str_]
    items_per_user: float
    values: dict[str, Values]
    seed_means: dict[str, dict[str, list[float]]]
    coverage: dict[str, Figure]
    segments: Mapping[str, NDArray[np.bool_]]


@dataclass(frozen=True)
class Judge:
    """Judges at depth `k`; `baselines` are the names of what others have to beat."""

    k: int
    baselines: frozenset[str]

    @property
    def main_metric(self) -> str:
        return f"ndcg@{self.k}"

    @property
    def compared(self) -> tuple[str, ...]:
        """Metrics that differences and segments are of."""
        return (*(f"{name}@{self.k}" for name in ACCURACY), f"recall@{DEEP_K}")

    def users_of(self, task: RankingTask, truth: str, runs: Sequence[ModelRuns]) -> JudgedUsers:
        """What each model that ran is worth to each user of one truth."""
        pairs = task.truths[truth].items
        judged = pairs.counts > 0
        catalogue = JudgedCatalogue(
            category=task.items.leaf_code,
            buyer_share=task.buyer_share,
            eligible_count=task.item_count,
            attributes=task.training.attributes,
            bought=task.bought,
        )
        resamples = Resamples(int(judged.sum()), SEED)
        values: dict[str, Values] = {}
        seed_means: dict[str, dict[str, list[float]]] = {}
        covered: dict[str, Figure] = {}
        for each in runs:
            lists = [record.lists[truth] for record in each.by_task.get(task.name, [])]
            if each.failure or not lists:
                continue
            by_seed = [values_by_user(one, pairs, catalogue, judged, ks=(self.k,), main_k=self.k) for one in lists]
            name = each.entry.name
            values[name] = {metric: np.mean([one[metric] for one in by_seed], axis=0) for metric in by_seed[0]}
            seed_means[name] = {metric: [float(one[metric].mean()) for one in by_seed] for metric in by_seed[0]}
            covered[name] = _mean_figure(
                [Figure(**asdict(coverage(one.items[judged, : self.k], task.item_count, resamples))) for one in lists]
            )
        return JudgedUsers(
            user_ids=np.array(task.user_ids, dtype=np.str_)[judged],
            items_per_user=float(pairs.counts[judged].mean()),
            values=values,
            seed_means=seed_means,
            coverage=covered,
            segments={name: rows[judged] for name, rows in task.segments.items()},
        )

    def result(self, users: JudgedUsers) -> TruthResult:
        """Figures of one truth, with differences from its best baseline."""
        resamples = Resamples(len(users.user_ids), SEED)
        models = figures_of(users.values, resamples)
        for name, figure in users.coverage.items():
            models[name][f"coverage@{self.k}"] = figure
        baseline = self._best_baseline(models)
        return TruthResult(
            users=len(users.user_ids),
            items_per_user=users.items_per_user,
            baseline=baseline,
            models=models,
            seed_spread={
                name: {metric: float(np.std(means, ddof=1)) for metric, means in columns.items()}
                for name, columns in users.seed_means.items()
                if len(next(iter(columns.values()))) > 1
            },
            differences=self._differences(users, baseline, resamples),
            against=self._against(users, resamples),
            segments=self._segments(users),
        )

    def _best_baseline(self, models: Mapping[str, Mapping[str, Figure]]) -> str:
        among = [name for name in models if name in self.baselines] or list(models)
        return max(among, key=lambda name: models[name][self.main_metric].mean, default="")

    def _differences(self, users: JudgedUsers, baseline: str, resamples: Resamples) -> dict[str, dict[str, Difference]]:
        others = {
            name: {metric: values for metric, values in difference(columns, users.values[baseline]).items() if metric in self.compared}
            for name, columns in users.values.items()
            if name != baseline
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

    def _against(self, users: JudgedUsers, resamples: Resamples) -> dict[str, dict[str, Difference]]:
        found: dict[str, dict[str, Difference]] = {}
        baselines = [name for name in users.values if name in self.baselines]
        for model, columns in users.values.items():
            if model in self.baselines or not baselines:
                continue
            paired = {name: columns[self.main_metric] - users.values[name][self.main_metric] for name in baselines}
            figures = figures_of({"paired": paired}, resamples)["paired"]
            p_values = holm({name: paired_p_value(values) for name, values in paired.items()})
            found[model] = {name: Difference(**figure.model_dump(), p_value=p_values[name]) for name, figure in figures.items()}
        return found

    def _segments(self, users: JudgedUsers) -> dict[str, SegmentFigures]:
        shown = (self.main_metric, f"hr@{self.k}", f"recall@{self.k}")
        figures = {}
        for name, rows in large_enough(users.segments).items():
            part = {model: {metric: columns[metric][rows] for metric in shown} for model, columns in users.values.items()}
            figures[name] = SegmentFigures(users=int(rows.sum()), models=figures_of(part, Resamples(int(rows.sum()), SEED)))
        return figures


def judge_tasks(judge: Judge, tasks: Sequence[RankingTask], runs: Sequence[ModelRuns]) -> tuple[list[TaskResult], TaskResult | None]:
    """Each task's figures, and those of all tasks together where there are several."""
    by_truth: dict[str, list[JudgedUsers]] = {}
    results = []
    for task in tasks:
        judged = {name: judge.users_of(task, name, runs) for name, truth in task.truths.items() if truth.items.counts.any()}
        for name, users in judged.items():
            by_truth.setdefault(name, []).append(users)
        truths = {name: judge.result(users) for name, users in judged.items() if users.values}
        results.append(TaskResult(name=task.name, users=task.users, items=task.item_count, truths=truths))
    if len(tasks) == 1:
        return results, None
    together = {name: pooled_users(parts) for name, parts in by_truth.items()}
    pooled = TaskResult(
        name=f"{len(tasks)} windows",
        users=max((len(users.user_ids) for users in together.values()), default=0),
        items=max(task.item_count for task in tasks),
        truths={name: judge.result(users) for name, users in together.items() if users.values},
    )
    return results, pooled


def pooled_users(parts: Sequence[JudgedUsers]) -> JudgedUsers:
    """Each user once, with the mean over the tasks the user is in, so that resamples draw people and not their windows."""
    user_ids, place = np.unique(np.concatenate([part.user_ids for part in parts]), return_inverse=True)
    times = np.bincount(place, minlength=len(user_ids))
    models = [name for name in parts[0].values if all(name in part.values for part in parts)]

    def mean(columns: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        return np.asarray(np.bincount(place, weights=np.concatenate(columns), minlength=len(user_ids)) / times)

    seeds = {name: min(len(next(iter(part.seed_means[name].values()))) for part in parts) for name in models}
    return JudgedUsers(
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
        coverage={name: _mean_figure([part.coverage[name] for part in parts]) for name in models},
        segments=_last_segments(parts, user_ids),
    )


def _last_segments(parts: Sequence[JudgedUsers], user_ids: NDArray[np.str_]) -> dict[str, NDArray[np.bool_]]:
    """Users as the last task that they are in saw them; a part whose limits differ between tasks is left to the tasks."""
    names = [name for name in parts[0].segments if all(name in part.segments for part in parts)]
    segments = {name: np.zeros(len(user_ids), dtype=bool) for name in names}
    for part in parts:
        rows = np.searchsorted(user_ids, part.user_ids)
        for name in names:
            segments[name][rows] = part.segments[name]
    return segments


def _mean_figure(figures: Sequence[Figure]) -> Figure:
    return Figure(
        mean=float(np.mean([each.mean for each in figures])),
        low=float(np.mean([each.low for each in figures])),
        high=float(np.mean([each.high for each in figures])),
    )
