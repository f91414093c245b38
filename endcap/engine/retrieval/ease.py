"""EASE: what a linear model of everybody's items says follows from all that this person has (Steck, WWW 2019).

Where order matters and little is bought twice. The table holds the model's highest weights of every item; without it nothing is found.
"""

import numpy as np
from numpy.typing import NDArray

from endcap.engine.retrieval.candidates import Candidates
from endcap.engine.retrieval.eligible import Eligible
from endcap.engine.retrieval.item_to_item import ItemToItem, past_seeds
from endcap.engine.retrieval.neighbour_sums import summed_neighbours, without
from endcap.engine.retrieval.user_state import UserState


def ease_candidates(table: ItemToItem, state: UserState, page: NDArray[np.int32], eligible: Eligible, quota: int) -> Candidates:
    """What the weights of the person's items add up to, or of a page's items where there are any; the square root of the sum is the score.

    All items count alike, as in the model. Without a page what the person bought before is left out, as in item-to-item.

    Args:
        table: the model's highest weights of every item.
        state: the user.
        page: int32 [r], distinct items of a product page or a cart.
        eligible: which items may be shown.
        quota: most candidates to give.
    """
    if table.is_empty:
        return Candidates.none()
    seeds, left_out = (page, page) if len(page) else (ease_seeds(state), state.pair_index)
    index, total = summed_neighbours(table.index, table.weight, seeds, np.ones(len(seeds), dtype=np.float32))
    kept = without(index, left_out)
    index, total = index[kept], total[kept]
    kept = eligible(index)
    return Candidates.best(index[kept], damped(total[kept]), quota)


def ease_seeds(state: UserState) -> NDArray[np.int32]:
    """int32 [s], ascending and distinct: what the user bought most and latest, and the history with the present visit's items."""
    return np.unique(np.concatenate([state.pair_index[past_seeds(state)], state.history, state.session]))


def damped(total: NDArray[np.float32]) -> NDArray[np.float32]:
    """float32 [m], square roots of sums of weights.

    Most sums are thousandths and a few are near one: their root tells the small ones apart for a ranker, which sees logarithms of 1 + x.
    """
    return np.sqrt(total, dtype=np.float32)
