"""Item-to-item: what goes with the user's newest purchases, by co-purchase alone."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from endcap.engine.retrieval.item_to_item import ItemToItem
from endcap.engine.retrieval.user_state import UserState
from endcap.evaluation.ranked_lists import ScoredPairs


def item_to_item(table: ItemToItem, states: Sequence[UserState], depths: NDArray[np.int64]) -> ScoredPairs:
    """The scores of the item-to-item source, as of the cut.

    Args:
        table: as of the cut.
        states: the users.
        depths: int64 [users], most items for each.
    """
    nothing = np.zeros(0, dtype=np.int32)
    return ScoredPairs.of([table.candidates(state, nothing, int(depth)) for state, depth in zip(states, depths, strict=True)])
