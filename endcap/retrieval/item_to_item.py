"""Item-to-item: items bought by the people who bought what this user bought or looked at last.

Cosine of co-purchase with shrinkage (Sarwar et al., WWW 2001; shrinkage as in Koren and Bell, Recommender Systems Handbook).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from endcap.retrieval.candidates import Candidates
from endcap.retrieval.user_state import UserState

HISTORY_SEEDS = 30
RECENCY_DAYS = 60.0
SESSION_WEIGHT = 4.0
REQUEST_WEIGHT = 8.0


@dataclass(frozen=True)
class ItemToItem:
    """The nearest items of every item: int32 `index` and float32 `weight`, both [n + 1, neighbours], padded with index 0, weight 0."""

    index: NDArray[np.int32]
    weight: NDArray[np.float32]

    def candidates(self, state: UserState, request_items: NDArray[np.int32], quota: int) -> Candidates:
        """Neighbours of the request's items, the session's and the newest of the history, weighted in that order.

        Args:
            state: the user; the history weighs by its age.
            request_items: int32 [r], the product page's item or the cart.
            quota: most candidates to give.
        """
        history = state.history[-HISTORY_SEEDS:]
        seeds = np.concatenate([request_items, state.session, history])
        if not len(seeds):
            return Candidates.none()
        seed_weight = np.concatenate(
            [
                np.full(len(request_items), REQUEST_WEIGHT, dtype=np.float32),
                np.full(len(state.session), SESSION_WEIGHT, dtype=np.float32),
                np.exp(-state.history_age_days[-HISTORY_SEEDS:] / RECENCY_DAYS),
            ]
        )
        neighbours = self.index[seeds].ravel()
        contribution = (self.weight[seeds] * seed_weight[:, None]).ravel()
        index, row = np.unique(neighbours, return_inverse=True)
        score = np.bincount(row, weights=contribution, minlength=len(index)).astype(np.float32)
        keep = (index > 0) & ~np.isin(index, request_items)
        return Candidates.best(index[keep], score[keep], quota)


def build_item_to_item(
    user_row: NDArray[np.int64],
    item_index: NDArray[np.int32],
    item_count: int,
    *,
    neighbours: int = 50,
    shrinkage: float = 10.0,
    block_rows: int = 4096,
) -> ItemToItem:
    """Count co-purchases and keep every item's nearest.

    Args:
        user_row: int64 [p], a user's number for each purchase.
        item_index: int32 [p], the item; both may repeat, a pair counts once.
        item_count: items in the catalogue.
        neighbours: kept for each item.
        shrinkage: added to the denominator; damps neighbours that few people share.
        block_rows: items handled at once; bounds memory to block_rows x item_count floats at worst.

    Returns:
        Weights in [0, 1): co-buyers / (sqrt(buyers x buyers) + shrinkage).
    """
    users = int(user_row.max()) + 1 if len(user_row) else 0
    bought = sparse.csr_matrix((np.ones(len(user_row), np.float32), (user_row, item_index)), shape=(users, item_count + 1))
    bought.data[:] = 1.0
    by_item = bought.T.tocsr()
    buyers = np.sqrt(np.asarray(by_item.sum(axis=1)).ravel())
    index = np.zeros((item_count + 1, neighbours), dtype=np.int32)
    weight = np.zeros((item_count + 1, neighbours), dtype=np.float32)
    for start in range(0, item_count + 1, block_rows):
        together = (by_item[start : start + block_rows] @ bought).tocsr()
        for row in np.flatnonzero(np.diff(together.indptr)):
            span = slice(together.indptr[row], together.indptr[row + 1])
            others, shared = together.indices[span], together.data[span]
            similarity = shared / (buyers[start + row] * buyers[others] + shrinkage)
            similarity[others == start + row] = 0
            best = Candidates.best(others, similarity, neighbours)
            kept = best.score > 0
            index[start + row, : kept.sum()] = best.index[kept]
            weight[start + row, : kept.sum()] = best.score[kept]
    return ItemToItem(index, weight)
