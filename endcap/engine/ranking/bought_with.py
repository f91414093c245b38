"""How strongly what a user bought speaks for a candidate, by the item-to-item table: for every candidate, whatever source brought it."""

import numpy as np
from numpy.typing import NDArray

from endcap.engine.retrieval.item_to_item import ItemToItem, past_seeds
from endcap.engine.retrieval.user_state import UserState

LATE_DAYS = 60.0
"""For `bought_with_of_late` a purchase counts exp(-age_days / LATE_DAYS)."""


def bought_with(state: UserState, index: NDArray[np.int32], neighbours: ItemToItem) -> NDArray[np.float32]:
    """Sums of the weights that the user's items have for each candidate: all alike, and the latest most.

    Work grows with the user's items and their neighbours, not with the catalogue.

    Args:
        state: one user, p items of the past.
        index: int32 [m], distinct candidates.
        neighbours: the item-to-item table.

    Returns:
        float32 [2, m].
    """
    m, places = len(index), past_seeds(state)
    place = np.zeros(len(neighbours.index), dtype=np.int32)
    place[index] = np.arange(1, m + 1, dtype=np.int32)
    place[0] = 0
    seeds = state.pair_index[places]
    at = place.take(neighbours.index.take(seeds, axis=0).ravel())
    hit = np.flatnonzero(at)
    at, weight = at[hit], neighbours.weight.take(seeds, axis=0).ravel()[hit].astype(np.float32)
    late = np.exp(-state.days_since_bought[places] / np.float32(LATE_DAYS))[hit // neighbours.index.shape[1]]
    sums = np.stack([np.bincount(at, weight, m + 1)[1:], np.bincount(at, weight * late, m + 1)[1:]])
    return sums.astype(np.float32)
