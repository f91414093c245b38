"""What every model of the harness does: make lists for a task's users."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from endcap.algorithms.algorithm import NOT_RECOMMENDED, Algorithm, HasProbabilities
from endcap.contracts.evaluation import Reliability, ReliabilityBin
from endcap.evaluation.calibration import calibration_curve, expected_calibration_error
from endcap.evaluation.ranked_lists import RankedLists
from endcap.evaluation.user_items import contains, pair_keys
from endcap_benchmarks.quality.task import RankingTask, Truth

CELLS_A_BLOCK = 4_000_000
"""Scores held at once: 16 MB, so that what the harness needs is small against what models need."""


def user_blocks(users: int, item_count: int) -> Iterator[NDArray[np.int64]]:
    """Rows of users whose scores fit in memory together."""
    size = max(1, CELLS_A_BLOCK // (item_count + 1))
    for start in range(0, users, size):
        yield np.arange(start, min(start + size, users))


def top_items(scores: NDArray[np.float32], depth: int) -> NDArray[np.int32]:
    """The highest scores of every row, best first; ties by index.

    Args:
        scores: float32 [users, n + 1], NOT_RECOMMENDED where an item may not stand in the list.
        depth: places.

    Returns:
        int32 [users, depth] columns, 0 behind the last recommended item.
    """
    # Adding 0 makes the negative zero a positive one, which compares equal but is another number in bits.
    bits = (scores.astype(np.float32, copy=False) + np.float32(0)).view(np.int32)
    # As an integer that grows with the float, then the column counted down: one number that orders a row without ties.
    rising = np.where(bits < 0, bits ^ np.int32(0x7FFFFFFF), bits).astype(np.int64)
    columns = scores.shape[1]
    keys = (rising << 32) | (columns - 1 - np.arange(columns, dtype=np.int64))
    taken = min(depth, columns)
    best = np.partition(keys, columns - taken, axis=1)[:, columns - taken :]
    best = np.sort(best, axis=1)[:, ::-1]
    index = (columns - 1 - (best & 0xFFFFFFFF)).astype(np.int32)
    index[np.take_along_axis(scores, index, axis=1) == NOT_RECOMMENDED] = 0
    lists = np.zeros((len(scores), depth), dtype=np.int32)
    lists[:, :taken] = index
    return lists


class TruthLists:
    """Lists of a task's users for each of its truths, filled block by block."""

    def __init__(self, task: RankingTask, depth: int) -> None:
        self._task = task
        self._items = {name: np.zeros((task.users, depth), dtype=np.int32) for name in task.truths}
        self._depth = depth

    def fill(self, rows: NDArray[np.int64], scores: NDArray[np.float32]) -> None:
        """Take the best of some users' scores, float32 [rows, n + 1]; what a truth hides is left out."""
        if scores.shape != (len(rows), self._task.item_count + 1):
            raise ValueError(f"scores have shape {scores.shape}, not {(len(rows), self._task.item_count + 1)}")
        if np.isnan(scores).any():
            raise ValueError(f"{int(np.isnan(scores).sum())} scores are not a number")
        scores = scores.copy()
        scores[:, 0] = NOT_RECOMMENDED
        for name, truth in self._task.truths.items():
            self._items[name][rows] = top_items(_without_hidden(scores, rows, truth), self._depth)

    def lists(self) -> dict[str, RankedLists]:
        return {name: RankedLists(items) for name, items in self._items.items()}


def _without_hidden(scores: NDArray[np.float32], rows: NDArray[np.int64], truth: Truth) -> NDArray[np.float32]:
    if truth.hidden is None:
        return scores
    start, end = np.searchsorted(truth.hidden.user_row, [rows[0], rows[-1] + 1])
    kept = scores.copy()
    kept[truth.hidden.user_row[start:end] - rows[0], truth.hidden.item_index[start:end]] = NOT_RECOMMENDED
    return kept


@dataclass(frozen=True)
class RunContext:
    """What a run may use besides the task.

    Attributes:
        seed: of everything random.
        depth: places of a list.
        dataset_dir: the canonical dataset that the task was made from, for models that read more of it than purchases.
        work_dir: a folder of this model, task and seed that outlives the run.
        shared_dir: a folder of the task, for what several models share.
    """

    seed: int
    depth: int
    dataset_dir: Path
    work_dir: Path
    shared_dir: Path


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
class AlgorithmModel:
    """An algorithm of `endcap.algorithms` as a model: fitted once, scored in blocks of users."""

    algorithm: Algorithm

    @property
    def settings(self) -> Mapping[str, Any]:
        dump = getattr(self.algorithm, "model_dump", None)
        return {"method": type(self.algorithm).__name__, **(dump(mode="json") if dump else {})}

    @property
    def code(self) -> Path | None:
        import inspect

        found = inspect.getsourcefile(type(self.algorithm))
        return Path(found) if found else None

    def recommend(self, task: RankingTask, context: RunContext) -> Recommended:
        started = time.perf_counter()
        fitted = self.algorithm.fit(task.training, context.seed)
        fit_s = time.perf_counter() - started
        lists = TruthLists(task, context.depth)
        predictions = [np.zeros(0, np.float32)], [np.zeros(0, bool)]
        score_s = 0.0
        for rows in user_blocks(task.users, task.item_count):
            histories = task.histories.of_users(rows)
            began = time.perf_counter()
            scores = fitted.scores(histories)
            score_s += time.perf_counter() - began
            lists.fill(rows, scores)
            if isinstance(fitted, HasProbabilities):
                for kept, found in zip(predictions, _probabilities(fitted, task, rows), strict=True):
                    kept.append(found)
        return Recommended(lists.lists(), fit_s, score_s, reliability(*map(np.concatenate, predictions)))


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
