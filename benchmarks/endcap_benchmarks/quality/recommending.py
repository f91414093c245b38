"""What every model of the harness does: make lists for a task's users."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from endcap.algorithms.method import HasProbabilities, Method
from endcap.contracts.evaluation import Reliability, ReliabilityBin
from endcap.evaluation.calibration import calibration_curve, expected_calibration_error
from endcap.evaluation.purchase_log import contains, pair_keys
from endcap.evaluation.ranked_lists import RankedLists
from endcap_benchmarks.quality.task import RankingTask
from endcap_benchmarks.quality.top_lists import TruthLists, user_blocks


@dataclass(frozen=True)
class RunContext:
    """What a run may use besides the task.

    Attributes:
        seed: of everything random.
        depth: places of a list.
        dataset_dir: the canonical dataset that the task was made from, for models that read more of it than purchases.
        work_dir: a folder of this model, task and seed that outlives the run.
    """

    seed: int
    depth: int
    dataset_dir: Path
    work_dir: Path


@dataclass(frozen=True)
class Recommended:
    """Lists by truth, and what they cost: seconds of learning, and of scoring all users."""

    lists: dict[str, RankedLists]
    fit_s: float
    score_s: float
    reliability: Reliability | None = None
    notes: dict[str, Any] = field(default_factory=dict)


class BenchmarkModel(Protocol):
    """A model of the harness."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """What tells this model from others of its kind, as JSON holds it."""

    @property
    def code(self) -> Path | None:
        """The file it is written in: when that changes, earlier lists are not its own any more."""

    def recommend(self, task: RankingTask, context: RunContext) -> Recommended:
        """Learn from the task's training data and make lists."""


@dataclass(frozen=True)
class MethodModel:
    """A method of `endcap.algorithms` as a model: fitted once, scored in blocks of users."""

    method: Method

    @property
    def settings(self) -> Mapping[str, Any]:
        dump = getattr(self.method, "model_dump", None)
        return {"method": type(self.method).__name__, **(dump(mode="json") if dump else {})}

    @property
    def code(self) -> Path | None:
        import inspect

        found = inspect.getsourcefile(type(self.method))
        return Path(found) if found else None

    def recommend(self, task: RankingTask, context: RunContext) -> Recommended:
        started = time.perf_counter()
        fitted = self.method.fit(task.training, context.seed)
        fit_s = time.perf_counter() - started
        lists = TruthLists(task, context.depth)
        told = [np.zeros(0, np.float32)], [np.zeros(0, bool)]
        score_s = 0.0
        for rows in user_blocks(task.users, task.item_count):
            histories = task.histories.of_users(rows)
            began = time.perf_counter()
            scores = fitted.scores(histories)
            score_s += time.perf_counter() - began
            lists.fill(rows, scores)
            if isinstance(fitted, HasProbabilities):
                for kept, found in zip(told, _probabilities(fitted, task, rows), strict=True):
                    kept.append(found)
        return Recommended(lists.lists(), fit_s, score_s, reliability(*map(np.concatenate, told)))


def _probabilities(fitted: HasProbabilities, task: RankingTask, rows: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Of all items with a probability: what was said, and whether it came true by the first truth."""
    said = fitted.probabilities(task.histories.of_users(rows))
    place, item = np.nonzero(np.isfinite(said) & (np.arange(said.shape[1]) > 0))
    truth = next(iter(task.truths.values()))
    happened = contains(truth.items.keys, pair_keys(rows[place], item.astype(np.int32)))
    return said[place, item].astype(np.float32), happened


def reliability(probability: NDArray[np.float32], happened: NDArray[np.bool_]) -> Reliability | None:
    """How probabilities (float32 [p]) compare with what happened (bool [p]); None where there are none."""
    if not len(probability):
        return None
    curve = calibration_curve(probability, happened)
    return Reliability(
        error=expected_calibration_error(curve),
        bins=[ReliabilityBin(predicted=each.predicted, observed=each.observed, count=each.count) for each in curve],
    )
