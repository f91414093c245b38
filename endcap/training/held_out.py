"""The last item of some users, held out to decide by: when to stop, which setting, which weight."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.algorithms.interactions import Interactions

USERS_AT_ONCE = 1024


@dataclass(frozen=True)
class HeldOut:
    """Histories, and the item that came next.

    Attributes:
        histories: without the item.
        next_item: int32 [users].
    """

    histories: Interactions
    next_item: NDArray[np.int32]

    def ranks(self, queries: NDArray[np.float32], items: NDArray[np.float32]) -> NDArray[np.int64]:
        """Place of each next item by inner product, from 0, among all items that the user has not had: int64 [users].

        Args:
            queries: float32 [users, dim].
            items: float32 [n + 1, dim].
        """
        rank = np.zeros(len(self.next_item), dtype=np.int64)
        for first in range(0, len(rank), USERS_AT_ONCE):
            users = np.arange(first, min(first + USERS_AT_ONCE, len(rank)))
            scores = queries[users] @ items.T
            own = scores[np.arange(len(users)), self.next_item[users]].copy()
            had = self.histories.of_users(users)
            scores[had.user_row, had.item_index] = -np.inf
            scores[:, 0] = -np.inf
            rank[users] = (scores > own[:, None]).sum(axis=1)
        return rank


def hold_out_last(interactions: Interactions, users: int, rng: np.random.Generator) -> tuple[Interactions, HeldOut]:
    """Take the last item of some users away.

    Args:
        interactions: of everybody.
        users: how many are asked for, among those with at least three interactions; fewer when there are not as many.
        rng: picks them.

    Returns:
        The interactions without those items, and the users' histories with them.
    """
    able = np.flatnonzero(np.diff(interactions.start) >= 3)
    picked = np.sort(rng.permutation(able)[:users])
    last = interactions.start[1:][picked] - 1
    keep = np.ones(len(interactions), dtype=bool)
    keep[last] = False
    rest = interactions.where(keep)
    return rest, HeldOut(rest.of_users(picked), interactions.item_index[last])
