"""Item-to-item: items bought by the people who bought what this user bought or looked at last.

Cosine of co-purchase with shrinkage (Sarwar et al., WWW 2001; shrinkage as in Koren and Bell, Recommender Systems Handbook).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.engine.retrieval.candidates import Candidates
from endcap.engine.retrieval.eligible import Eligible
from endcap.engine.retrieval.neighbour_sums import summed_neighbours, without
from endcap.engine.retrieval.user_state import UserState

PAST_SEEDS = 200
"""Items bought before that are asked for their neighbours, those with the highest decayed count: more add work and no recall."""
HISTORY_SEEDS = 30
RECENCY_DAYS = 60.0
SESSION_WEIGHT = 4.0
REQUEST_WEIGHT = 8.0


@dataclass(frozen=True)
class ItemToItem:
    """The nearest items of every item: int32 `index` and float16 `weight`, both [n + 1, neighbours], padded with index 0, weight 0."""

    index: NDArray[np.int32]
    weight: NDArray[np.float16]

    @property
    def is_empty(self) -> bool:
        """Whether the table has no columns, as where there is none."""
        return not self.index.shape[1]

    def has_neighbours(self) -> NDArray[np.bool_]:
        """bool [n + 1]: items that have any. Reads the whole table: for building a bundle, not for a request."""
        return np.zeros(len(self.index), dtype=np.bool_) if self.is_empty else np.asarray(self.index[:, 0] > 0)

    def candidates(self, state: UserState, request_items: NDArray[np.int32], quota: int) -> Candidates:
        """As `item_to_item_candidates`, where everything may be shown."""
        return Candidates.best(*self._scored(state, request_items), quota)

    def _scored(self, state: UserState, request_items: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        past, seen = _past_or_page(state, request_items)
        seeds = np.concatenate([request_items, state.session, past, state.history[seen]])
        seed_weight = np.ones(len(seeds), dtype=np.float32)
        seed_weight[: len(request_items)] = REQUEST_WEIGHT
        seed_weight[len(request_items) : len(request_items) + len(state.session)] = SESSION_WEIGHT
        seed_weight[len(seeds) - len(seen) :] = np.exp(-state.history_age_days[seen] / RECENCY_DAYS)
        index, score = summed_neighbours(self.index, self.weight, seeds, seed_weight)
        kept = without(index, request_items)
        return index[kept], score[kept]


NO_NEIGHBOURS = ItemToItem(np.zeros((0, 0), dtype=np.int32), np.zeros((0, 0), dtype=np.float16))
"""In the place of a table that a bundle does not have; no row of it may be asked for."""


@dataclass(frozen=True)
class Neighbours:
    """The tables that the ranker reads of a moment.

    Attributes:
        item_to_item: what is bought with each item.
        ease: the highest weights of EASE; NO_NEIGHBOURS where the data does not call for it.
    """

    item_to_item: ItemToItem
    ease: ItemToItem = NO_NEIGHBOURS


def item_to_item_candidates(
    table: ItemToItem, state: UserState, request_items: NDArray[np.int32], eligible: Eligible, quota: int
) -> Candidates:
    """Neighbours of the request's items, the session's and what the user bought and saw, weighted in that order.

    Without items in the request, what the user bought before is left out: buy-again brings it, and the places are better spent.

    Args:
        table: the neighbours.
        state: the user; the history weighs by its age.
        request_items: int32 [r], the product page's item or the cart.
        eligible: which items may be shown.
        quota: most candidates to give.
    """
    index, score = table._scored(state, request_items)
    kept = eligible(index)
    if not len(request_items):
        kept &= without(index, state.pair_index)
    return Candidates.best(index[kept], score[kept], quota)


def past_seeds(state: UserState) -> NDArray[np.intp]:
    """intp [at most PAST_SEEDS]: places, among the items of the past, of those that the user bought most and latest."""
    if len(state.pair_index) <= PAST_SEEDS:
        return np.arange(len(state.pair_index))
    return np.argpartition(-state.decayed_60d, PAST_SEEDS)[:PAST_SEEDS]


def _past_or_page(state: UserState, request_items: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    """Items of the past that count in full, and intp places in the history of items that count by their age, those of the session left out.

    Beside a page's items only the newest history counts: all that somebody ever bought would drown them.
    """
    end = len(state.history) - len(state.session)
    newest = np.arange(max(0, end - HISTORY_SEEDS), end)
    if len(request_items):
        return np.zeros(0, dtype=np.int32), newest
    return state.pair_index[past_seeds(state)], newest[~state.bought_before(state.history[newest])]
