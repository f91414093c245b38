"""EASE: the closed-form linear autoencoder over items (Steck, Embarrassingly Shallow Autoencoders for Sparse Data, WWW 2019)."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from scipy import sparse
from scipy.linalg import lapack

from endcap.algorithms.algorithm import NOT_RECOMMENDED, TrainingData
from endcap.algorithms.interactions import Interactions
from endcap.algorithms.item_to_item import ItemToItemCosine, NeighbourScores
from endcap.algorithms.neighbour_tables import BLOCKS_AT_ONCE, table_of
from endcap.algorithms.weights import recency_weights
from endcap.engine.retrieval.item_to_item import ItemToItem

CELLS_MAX = 100_000_000
"""Users by items up to which a dense matrix of them is kept: 400 MB."""

SLAB_ITEMS = 2048
"""Columns of that matrix that are multiplied at once: a row of them stays in the processor's cache, which is four times as fast."""

FEW = 0.1
"""Share of the users that a history shares an item with, below which the dense matrix is worth its price."""

FLOAT64_SIDE_MAX = 8192
"""A larger matrix is inverted in float32: half the memory and time, and the diagonal that is added keeps it well conditioned."""


class Ease(BaseModel):
    """How much each item of a history speaks for every other: item weights that rebuild everybody's purchases best, solved exactly.

    The matrix that is inverted has a side of users or of items, whichever are fewer.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    regularisation: float | None = Field(default=None, gt=0, description="Added to the diagonal, the lambda of the paper.")
    decay_days: float | None = Field(
        default=None,
        gt=0,
        description="Age after which a purchase of the history counts 1/e; without it all count alike.",
        json_schema_extra={"unset": "none"},
    )
    side_max: int = Field(
        default=20_000,
        ge=1,
        description="Largest side of the inverted matrix; memory is 4 bytes by its square. With more users and items than this, only the "
        "most bought items are learned; the neighbours of the others are those by cosine.",
    )

    def fit(self, data: TrainingData, seed: int) -> "FittedEase":
        """Invert; `seed` changes nothing."""
        learned = self.solved(data.interactions)
        is_whole = len(learned.solved.items) == len(np.unique(data.interactions.item_index))
        return learned if is_whole else replace(learned, others=ItemToItemCosine().fit(data, seed))

    def solved(self, interactions: Interactions) -> "FittedEase":
        """The same, where items that are not learned are left without neighbours."""
        bought = _within(interactions.bought, self.side_max)
        regularisation = self.regularisation or default_regularisation(interactions)
        users, items = bought.users_with.shape
        weights = Primal.of(bought, regularisation) if items <= users else Dual.of(bought, regularisation)
        return FittedEase(weights, interactions.item_count, self.decay_days)


BUYERS_SHARE = 8.0
ITEMS_SHARE = 5.0
"""Both from validation data: of few users with many items each, and of many users with few (docs/decisions/0014-algorithms.md)."""


def default_regularisation(interactions: Interactions) -> float:
    """The smaller of BUYERS_SHARE x the buyers of the item, and ITEMS_SHARE x the items of the user, of an average purchase; at least 1.

    What is added to a count is measured in counts. With weights each buyer and item counts its square, as on the diagonal that it is added
    to.
    """
    squares = interactions.bought.power(2)
    buyers, items = (_of_average_purchase(np.asarray(squares.sum(axis=axis)).ravel()) for axis in (0, 1))
    return max(min(BUYERS_SHARE * buyers, ITEMS_SHARE * items), 1.0)


def _of_average_purchase(counts: NDArray[np.float32]) -> float:
    """Mean count of the rows, or columns, that purchases are of: one with ten of them is met ten times."""
    return float(np.square(counts, dtype=np.float64).sum() / max(float(counts.sum()), 1.0))


@dataclass(frozen=True)
class Learned:
    """The columns that are learned from.

    Attributes:
        items: int64 [m], ascending item indices.
        users_with: float32 [users, m], 1 where a user bought an item.
    """

    items: NDArray[np.int64]
    users_with: sparse.csr_matrix


def _within(bought: sparse.csr_matrix, side_max: int) -> Learned:
    """Users with any purchase, and the most bought items when neither side fits."""
    buyers = np.asarray(bought.sum(axis=0)).ravel()
    buyers[0] = 0
    users = np.flatnonzero(np.diff(bought.indptr))
    items = np.flatnonzero(buyers)
    if min(len(items), len(users)) > side_max:
        items = np.sort(items[np.argsort(-buyers[items], kind="stable")[:side_max]])
    return Learned(items, bought[users][:, items].tocsr())


@dataclass(frozen=True)
class Primal:
    """Solved over items.

    Attributes:
        items: int64 [m].
        weight: float32 [m, m], what the row's item says for the column's; 0 on the diagonal.
    """

    items: NDArray[np.int64]
    weight: NDArray[np.float32]

    @classmethod
    def of(cls, learned: Learned, regularisation: float) -> "Primal":
        inverse = _inverse(learned.users_with.T @ learned.users_with, regularisation)
        inverse /= -np.diag(inverse).copy()
        np.fill_diagonal(inverse, 0)
        return cls(learned.items, inverse.astype(np.float32, copy=False))

    def rebuild(self, histories: sparse.csr_matrix, out: NDArray[np.float32]) -> None:
        """Fill float32 [users, m] from float32 [users, m]."""
        out[:] = histories @ self.weight


@dataclass(frozen=True)
class Dual:
    """Solved over users: with K = (X X' + lambda)^-1 the inverse over items is P = (I - X' K X) / lambda, and is never written out.

    Attributes:
        items: int64 [m].
        users_with: X, float32 [u, m].
        inverse: K, float32 [u, u].
        diagonal: float32 [m], of lambda P.
    """

    items: NDArray[np.int64]
    users_with: sparse.csr_matrix
    inverse: NDArray[np.float32]
    diagonal: NDArray[np.float32]

    @classmethod
    def of(cls, learned: Learned, regularisation: float, block_items: int = 2048) -> "Dual":
        inverse = _inverse(learned.users_with @ learned.users_with.T, regularisation)
        buyers = learned.users_with.T.tocsr()
        diagonal = np.empty(len(learned.items), dtype=np.float32)

        def fill(start: int) -> None:
            block = buyers[start : start + block_items]
            explained = block.multiply(block @ inverse).sum(axis=1)
            diagonal[start : start + block_items] = 1.0 - np.asarray(explained).ravel()

        with ThreadPoolExecutor(BLOCKS_AT_ONCE) as threads:
            list(threads.map(fill, range(0, len(diagonal), block_items)))
        return cls(learned.items, learned.users_with, inverse.astype(np.float32, copy=False), diagonal)

    def rebuild(self, histories: sparse.csr_matrix, out: NDArray[np.float32]) -> None:
        """Fill float32 [users, m] from float32 [users, m]."""
        self._through_users(histories, out)
        known = histories.tocoo()
        out[known.row, known.col] += known.data * (1 - 1 / self.diagonal[known.col])

    @cached_property
    def _explained(self) -> list[NDArray[np.float32]]:
        """K X, float32 [u, m], in parts of SLAB_ITEMS columns."""
        by_item = self.users_with.T.tocsr()

        def slab(start: int) -> NDArray[np.float32]:
            return np.ascontiguousarray((by_item[start : start + SLAB_ITEMS] @ self.inverse).T, dtype=np.float32)

        with ThreadPoolExecutor(BLOCKS_AT_ONCE) as threads:
            return list(threads.map(slab, range(0, by_item.shape[0], SLAB_ITEMS)))

    def _through_users(self, histories: sparse.csr_matrix, out: NDArray[np.float32]) -> None:
        """H X' K X over the diagonal, by the order of products that costs less: short histories share items with few users."""
        shared = histories @ self.users_with.T
        users, items = self.users_with.shape
        if users * items <= CELLS_MAX and shared.nnz < FEW * shared.shape[0] * users:
            for number, slab in enumerate(self._explained):
                columns = slice(number * SLAB_ITEMS, number * SLAB_ITEMS + slab.shape[1])
                np.divide(shared @ slab, self.diagonal[columns], out=out[:, columns])
        else:
            np.divide(self.users_with.T.dot((shared.toarray() @ self.inverse).T).T, self.diagonal, out=out)


@dataclass(frozen=True)
class FittedEase:
    """Solved; scores are sums over the history.

    Attributes:
        solved: the items' weights.
        item_count: n.
        decay_days: age after which a purchase counts 1/e; None counts all alike.
        others: knows the neighbours of items that were not learned; None where all were.
    """

    solved: Primal | Dual
    item_count: int
    decay_days: float | None
    others: NeighbourScores | None = None

    def scores(self, histories: Interactions) -> NDArray[np.float32]:
        """float32 [users, n + 1]; items that were not learned are not recommended."""
        return self._scores(histories.bought if self.decay_days is None else recency_weights(histories, self.decay_days))

    def neighbours(self, count: int) -> ItemToItem:
        """The items that each item says most for."""
        items = self.solved.items
        within = table_of(self._within, len(items), count)
        index = np.zeros((self.item_count + 1, count), dtype=np.int32)
        weight = np.zeros((self.item_count + 1, count), dtype=np.float16)
        if self.others is not None:
            by_cosine = self.others.neighbours(count)
            known = slice(by_cosine.index.shape[1])
            index[:, known], weight[:, known] = by_cosine.index, by_cosine.weight
        index[items] = np.concatenate([[0], items])[within.index[1:]]
        weight[items] = within.weight[1:]
        return ItemToItem(index, weight)

    def _within(self, histories: sparse.csr_matrix) -> NDArray[np.float32]:
        """Scores where only the learned items are counted, from 1: float32 [users, m + 1] from the same."""
        scores = np.empty(histories.shape, dtype=np.float32)
        scores[:, 0] = NOT_RECOMMENDED
        self.solved.rebuild(histories[:, 1:], scores[:, 1:])
        return scores

    def _scores(self, histories: sparse.csr_matrix) -> NDArray[np.float32]:
        items = self.solved.items
        scores = np.full((histories.shape[0], self.item_count + 1), NOT_RECOMMENDED, dtype=np.float32)
        rebuilt = np.empty((histories.shape[0], len(items)), dtype=np.float32)
        self.solved.rebuild(histories[:, items], rebuilt)
        scores[:, items] = rebuilt
        return scores


def _inverse(gram: sparse.csr_matrix, regularisation: float) -> NDArray[Any]:
    """Of the symmetric `gram` plus `regularisation` on its diagonal, by Cholesky, in place."""
    side = gram.shape[0]
    dense = gram.toarray(order="F").astype(np.float64 if side <= FLOAT64_SIDE_MAX else np.float32, order="F", copy=False)
    dense[np.diag_indices(side)] += regularisation
    factorise, invert = (lapack.dpotrf, lapack.dpotri) if dense.dtype == np.float64 else (lapack.spotrf, lapack.spotri)
    factor, failed = factorise(dense, lower=0, overwrite_a=1, clean=0)
    if failed:
        raise np.linalg.LinAlgError("the matrix is not positive definite")
    inverse, _ = invert(factor, lower=0, overwrite_c=1)
    _mirror_upper(inverse)
    return np.asarray(inverse)


def _mirror_upper(square: NDArray[Any], block: int = 1024) -> None:
    """Copy the upper triangle below the diagonal, in place, by blocks."""
    for start in range(0, len(square), block):
        end = min(start + block, len(square))
        square[end:, start:end] = square[start:end, end:].T
        corner = square[start:end, start:end]
        corner[:] = np.triu(corner) + np.triu(corner, 1).T
