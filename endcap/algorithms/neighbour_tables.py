"""Item-to-item tables of what does not count neighbours: the best for a history of one item, or the nearest vectors."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from endcap.algorithms.vector_scores import unit_length
from endcap.engine.retrieval.candidates import Candidates
from endcap.engine.retrieval.item_to_item import ItemToItem

CELLS_A_BLOCK = 16_000_000
"""Scores of a block: 64 MB."""

BLOCKS_AT_ONCE = 2
"""Threads: products of sparse matrices take one core each, and numpy leaves the others to work meanwhile."""

GROUPS_A_NEIGHBOUR = 8
"""Groups of columns for each neighbour kept: with so many, hardly two of the best of a row fall into one."""

LEAST_POSITIVE = np.finfo(np.float32).tiny


def table_of(scores: Callable[[sparse.csr_matrix], NDArray[np.float32]], item_count: int, count: int) -> ItemToItem:
    """For every item the `count` others that score highest for a user who bought nothing else.

    Args:
        scores: called by several threads; from float32 [users, n + 1] histories, float32 [users, n + 1]; 0 and less say nothing.
        item_count: n.
        count: neighbours of each item.
    """
    index = np.zeros((item_count + 1, count), dtype=np.int32)
    weight = np.zeros((item_count + 1, count), dtype=np.float16)
    alone = sparse.identity(item_count + 1, dtype=np.float32, format="csr")
    rows_at_once = max(1, CELLS_A_BLOCK // (item_count + 1))

    def fill(start: int) -> None:
        rows = np.arange(start, min(start + rows_at_once, item_count + 1))
        fill_rows(index, weight, rows, scores(alone[rows]))

    with ThreadPoolExecutor(BLOCKS_AT_ONCE) as threads:
        list(threads.map(fill, range(1, item_count + 1, rows_at_once)))
    return ItemToItem(index, weight)


def fill_rows(index: NDArray[np.int32], weight: NDArray[np.float16], rows: NDArray[np.integer], block: NDArray[np.float32]) -> None:
    """Write the best of each row of `block` (float32 [b, n + 1]) into the table's `rows` (int [b]); an item is not its own neighbour.

    `block` is changed: what items say for themselves goes to 0.
    """
    count = index.shape[1]
    block[np.arange(len(rows)), rows] = 0
    for row, scored, enough in zip(rows, block, _reached_by(block, count), strict=True):
        high = np.flatnonzero(scored >= enough).astype(np.int32)
        best = Candidates.best(high, scored[high], count)
        kept = best.score.astype(np.float16) > 0
        index[row, : int(kept.sum())] = best.index[kept]
        weight[row, : int(kept.sum())] = best.score[kept]


def _reached_by(block: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """A score above 0 that at least `count` of each row reach, where so many are above 0; hardly more than these.

    Columns are looked at by the highest of each of GROUPS_A_NEIGHBOUR x `count` groups: what `count` groups reach, so many columns reach.
    """
    width = max(block.shape[1] // (GROUPS_A_NEIGHBOUR * count), 1)
    groups = block.shape[1] // width
    highest = block[:, : groups * width].reshape(len(block), width, groups).max(axis=1)
    least = np.partition(highest, -count, axis=1)[:, -count] if count < groups else np.zeros(len(block), dtype=np.float32)
    return np.maximum(least, LEAST_POSITIVE)


def nearest_by_cosine(vectors: NDArray[np.float32], count: int) -> ItemToItem:
    """The `count` others with the highest cosine above 0; items of zeros have and are no neighbours.

    Args:
        vectors: float32 [n + 1, d], row 0 zeros.
        count: neighbours of each item.
    """
    unit = unit_length(vectors)
    index = np.zeros((len(unit), count), dtype=np.int32)
    weight = np.zeros((len(unit), count), dtype=np.float16)
    rows_at_once = max(1, CELLS_A_BLOCK // max(len(unit), 1))
    for start in range(1, len(unit), rows_at_once):
        rows = np.arange(start, min(start + rows_at_once, len(unit)))
        fill_rows(index, weight, rows, unit[rows] @ unit.T)
    return ItemToItem(index, weight)
