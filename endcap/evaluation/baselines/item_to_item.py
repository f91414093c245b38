"""Item-to-item: what goes with the user's newest purchases, by co-purchase alone."""

from collections.abc import Sequence

import numpy as np

from endcap.evaluation.ranked_lists import ScoredPairs
from endcap.retrieval.item_to_item import ItemToItem
from endcap.retrieval.user_state import UserState


def item_to_item(table: ItemToItem, states: Sequence[UserState], depth: int) -> ScoredPairs:
    """The scores of the item-to-item source, as of the cut.

    Args:
        table: as of the cut.
        states: the users.
        depth: most items a user.
    """
    nothing = np.zeros(0, dtype=np.int32)
    return ScoredPairs.of([table.candidates(state, nothing, depth) for state in states])
