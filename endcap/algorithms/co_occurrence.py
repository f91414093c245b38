"""Which items occur together, by user or by basket, how alike that makes them, and the most alike of every item."""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from endcap.algorithms.interactions import Interactions
from endcap.engine.retrieval.candidates import Candidates
from endcap.engine.retrieval.item_to_item import ItemToItem

Score = Callable[[NDArray[np.float32], float, NDArray[np.float32]], NDArray[np.float32]]
"""From the groups that have both (float32 [m]), those that have the one, and those that have each other (float32 [m]), a score [m]."""


def nearest_by(
    group_row: NDArray[np.int64],
    item_index: NDArray[np.int32],
    item_count: int,
    score: Score,
    *,
    neighbours: int,
    block_rows: int = 4096,
) -> tuple[NDArray[np.int32], NDArray[np.float16]]:
    """For every item the others with the highest score.

    Args:
        group_row: int64 [p], number of the user or basket of each entry.
        item_index: int32 [p], the item; a pair counts once however often it stands there.
        item_count: items in the catalogue.
        score: what to order by; others that score 0 or less are left out.
        neighbours: kept for each item.
        block_rows: items handled at once; bounds memory to block_rows x item_count floats at worst.

    Returns:
        int32 index and float16 score, both [item_count + 1, neighbours], padded with 0.
    """
    groups = int(group_row.max()) + 1 if len(group_row) else 0
    has = sparse.csr_matrix((np.ones(len(group_row), np.float32), (group_row, item_index)), shape=(groups, item_count + 1))
    has.data[:] = 1.0
    return nearest_columns(has, score, neighbours, block_rows)


def nearest_columns(
    has: sparse.csr_matrix, score: Score, neighbours: int, block_rows: int = 4096
) -> tuple[NDArray[np.int32], NDArray[np.float16]]:
    """As `nearest_by`, from float32 [groups, n + 1]: 1 where a group has an item, or what its having it counts.

    What a score is of are then sums of products: both, and each with itself.
    """
    item_count = has.shape[1] - 1
    by_item = has.T.tocsr()
    frequency = np.asarray(by_item.multiply(by_item).sum(axis=1), dtype=np.float32).ravel()
    index = np.zeros((item_count + 1, neighbours), dtype=np.int32)
    weight = np.zeros((item_count + 1, neighbours), dtype=np.float16)
    for start in range(0, item_count + 1, block_rows):
        together = (by_item[start : start + block_rows] @ has).tocsr()
        for row in np.flatnonzero(np.diff(together.indptr)):
            span = slice(together.indptr[row], together.indptr[row + 1])
            others = together.indices[span]
            scores = np.asarray(score(together.data[span], float(frequency[start + row]), frequency[others]), dtype=np.float32)
            kept = (scores > 0) & (others != start + row)
            best = Candidates.best(others[kept], scores[kept], neighbours)
            index[start + row, : len(best.index)] = best.index
            weight[start + row, : len(best.index)] = best.score
    return index, weight


def neighbour_table(interactions: Interactions, score: Score, neighbours: int) -> ItemToItem:
    """For every item the others that its buyers bought too, with the highest `score`; a user counts once for a pair."""
    return ItemToItem(*nearest_columns(interactions.bought, score, neighbours))


def cosine(shrinkage: float) -> Score:
    """both / (sqrt(one x other) + shrinkage), in [0, 1) (Sarwar et al., WWW 2001; Koren and Bell, Recommender Systems Handbook).

    Args:
        shrinkage: damps pairs that few people share.
    """
    return partial(_cosine, shrinkage=np.float32(shrinkage))


def log_lift(groups: int, shrinkage: float) -> Score:
    """log(lift) x both / (both + shrinkage), and nothing where chance would give as many (Brin et al., SIGMOD 1997).

    Args:
        groups: people who bought anything.
        shrinkage: people who have to share a pair for half of its lift to count.
    """
    return partial(_log_lift, groups=np.float32(groups), shrinkage=np.float32(shrinkage))


def _cosine(together: NDArray[np.float32], of_one: float, of_other: NDArray[np.float32], *, shrinkage: np.float32) -> NDArray[np.float32]:
    return np.asarray(together / (np.sqrt(of_one * of_other) + shrinkage), dtype=np.float32)


def _log_lift(
    together: NDArray[np.float32], of_one: float, of_other: NDArray[np.float32], *, groups: np.float32, shrinkage: np.float32
) -> NDArray[np.float32]:
    lift = together * groups / np.maximum(of_one * of_other, 1).astype(np.float32)
    return np.asarray(np.log(np.maximum(lift, 1)) * together / (together + shrinkage), dtype=np.float32)
