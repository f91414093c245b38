"""Item-to-item: items bought by the people who bought what this user bought or looked at last.

Cosine of co-purchase with shrinkage (Sarwar et al., WWW 2001; shrinkage as in Koren and Bell, Recommender Systems Handbook).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.retrieval.candidates import Candidates
from endcap.retrieval.eligible import Eligible
from endcap.retrieval.neighbour_sums import summed_neighbours, without
from endcap.retrieval.user_state import UserState

HISTORY_SEEDS = 30
RECENCY_DAYS = 60.0
SESSION_WEIGHT = 4.0
REQUEST_WEIGHT = 8.0


@dataclass(frozen=True)
class ItemToItem:
    """The nearest items of every item: int32 `index` and float16 `weight`, both [n + 1, neighbours], padded with index 0, weight 0."""

    index: NDArray[np.int32]
    weight: NDArray[np.float16]

    def has_neighbours(self) -> NDArray[np.bool_]:
        """bool [n + 1]: items that have any. Reads the whole table: for building a bundle, not for a request."""
        return np.asarray(self.index[:, 0] > 0)

    def candidates(self, state: UserState, request_items: NDArray[np.int32], quota: int) -> Candidates:
        """As `item_to_item_candidates`, where everything may be shown."""
        return Candidates.best(*self._scored(state, request_items), quota)

    def _scored(self, state: UserState, request_items: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        history = state.history[-HISTORY_SEEDS:]
        seeds = np.concatenate([request_items, state.session, history])
        seed_weight = np.empty(len(seeds), dtype=np.float32)
        recent = len(seeds) - len(history)
        seed_weight[: len(request_items)] = REQUEST_WEIGHT
        seed_weight[len(request_items) : recent] = SESSION_WEIGHT
        seed_weight[recent:] = np.exp(-state.history_age_days[-HISTORY_SEEDS:] / RECENCY_DAYS)
        index, score = summed_neighbours(self.index, self.weight, seeds, seed_weight)
        kept = without(index, request_items)
        return index[kept], score[kept]


def item_to_item_candidates(
    table: ItemToItem, state: UserState, request_items: NDArray[np.int32], eligible: Eligible, quota: int
) -> Candidates:
    """Neighbours of the request's items, the session's and the newest of the history, weighted in that order.

    Args:
        table: the neighbours.
        state: the user; the history weighs by its age.
        request_items: int32 [r], the product page's item or the cart.
        eligible: which items may be shown.
        quota: most candidates to give.
    """
    index, score = table._scored(state, request_items)
    kept = eligible(index)
    return Candidates.best(index[kept], score[kept], quota)
