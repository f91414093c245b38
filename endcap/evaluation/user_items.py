"""Pairs of a user and an item: what lists are evaluated against, and what users had bought before."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from endcap.algorithms.interactions import Interactions
from endcap.engine.retrieval.sorted_places import places_in


@dataclass(frozen=True)
class UserItems:
    """Pairs of a user and an item, for example purchases or truths; p pairs of u users.

    Attributes:
        user_row: int64 [p], rows 0 to users - 1.
        item_index: int32 [p].
        users: how many users there are, those without a pair included.
    """

    user_row: NDArray[np.int64]
    item_index: NDArray[np.int32]
    users: int

    @classmethod
    def of(cls, purchases: Interactions) -> "UserItems":
        """Every purchase; pairs repeat."""
        return cls(purchases.user_row, purchases.item_index, purchases.users)

    @cached_property
    def keys(self) -> NDArray[np.int64]:
        """int64, ascending and distinct: one number a pair."""
        return np.unique(pair_keys(self.user_row, self.item_index))

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """int64 [users], distinct items by user."""
        return np.bincount(self.keys >> _ITEM_BITS, minlength=self.users)

    def where(self, keep: NDArray[np.bool_]) -> "UserItems":
        """The pairs where `keep` (bool [p]) holds; the number of users stays."""
        return UserItems(self.user_row[keep], self.item_index[keep], self.users)

    def without(self, other: "UserItems") -> "UserItems":
        """The pairs that `other` does not have."""
        return self.where(~contains(other.keys, pair_keys(self.user_row, self.item_index)))


_ITEM_BITS = 32


def pair_keys(user_row: NDArray[np.int64], item_index: NDArray[np.int32]) -> NDArray[np.int64]:
    """int64, one number a pair of user and item."""
    return (user_row.astype(np.int64) << _ITEM_BITS) | item_index.astype(np.int64)


def contains(sorted_keys: NDArray[np.int64], keys: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each of `keys` is among the ascending `sorted_keys`."""
    return places_in(sorted_keys, keys)[1]
