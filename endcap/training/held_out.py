"""The last item of some users, held out to decide by: when to stop, which setting, which weight."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.algorithms.interactions import Interactions
from endcap.contracts.signals import PURCHASE_CODE, Signals
from endcap.training.acts import act_keys, predicted_types

USERS_AT_ONCE = 1024


@dataclass(frozen=True)
class HeldOut:
    """Histories, and the item that came next.

    Attributes:
        histories: without the item.
        next_item: int32 [users].
        weight: float32 [users], what each counts; None where all count alike.
    """

    histories: Interactions
    next_item: NDArray[np.int32]
    weight: NDArray[np.float32] | None = None

    def ranks(self, queries: NDArray[np.float32], items: NDArray[np.float32]) -> NDArray[np.int64]:
        """Place of each next item by inner product, from 0, among all items that the user has not bought: int64 [users].

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
            had = had if had.signal is None else had.where(had.signal == PURCHASE_CODE)
            scores[had.user_row, had.item_index] = -np.inf
            scores[:, 0] = -np.inf
            rank[users] = (scores > own[:, None]).sum(axis=1)
        return rank


def hold_out_last(
    interactions: Interactions, users: int, rng: np.random.Generator, signals: Signals | None = None
) -> tuple[Interactions, HeldOut]:
    """Take the last item of some users away; with signals the whole act that ends there: a cart of a moment ago gives a purchase away.

    Args:
        interactions: of everybody.
        users: how many are asked for, among those with at least two interactions besides; fewer when there are not as many.
        rng: picks them.
        signals: which types are held out and what they count, where interactions have signals; None takes the defaults.

    Returns:
        The interactions without those items, and the users' histories with them.
    """
    if interactions.signal is not None:
        return _hold_out_acts(interactions, interactions.signal, users, rng, signals or Signals())
    able = np.flatnonzero(np.diff(interactions.start) >= 3)
    picked = np.sort(rng.permutation(able)[:users])
    last = interactions.start[1:][picked] - 1
    keep = np.ones(len(interactions), dtype=bool)
    keep[last] = False
    rest = interactions.where(keep)
    return rest, HeldOut(rest.of_users(picked), interactions.item_index[last])


def _hold_out_acts(
    interactions: Interactions, signal: NDArray[np.uint8], users: int, rng: np.random.Generator, signals: Signals
) -> tuple[Interactions, HeldOut]:
    weights = np.where(predicted_types(signals), signals.weights, 0).astype(np.float32)[signal]
    some = np.flatnonzero(np.diff(interactions.start))
    last = interactions.start[1:][some] - 1
    act = np.unique(act_keys(interactions), return_inverse=True)[1]
    left = np.diff(interactions.start)[some] - np.bincount(act)[act[last]]
    picked = np.sort(rng.permutation(np.flatnonzero((left >= 2) & (weights[last] > 0)))[:users])
    rest = interactions.where(~np.isin(act, act[last[picked]]))
    return rest, HeldOut(rest.of_users(some[picked]), interactions.item_index[last[picked]], weights[last[picked]])
