"""The best items of many users out of a matrix of scores, block by block."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from endcap.algorithms.algorithm import NOT_RECOMMENDED
from endcap.evaluation.ranked_lists import RankedLists
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
