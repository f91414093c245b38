"""Purchases as arrays: what baselines are computed from, and what lists are judged against."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray


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


@dataclass(frozen=True)
class PurchaseLog:
    """Purchases before the cut, of every user; p rows, one a basket and item.

    Attributes:
        pairs: the users and items; only users under evaluation have rows below `pairs.users`.
        age_days: float32 [p], days before the cut.
        everyone: int32 [q], items of all purchases, of users who are not evaluated too.
        everyone_age_days: float32 [q].
    """

    pairs: UserItems
    age_days: NDArray[np.float32]
    everyone: NDArray[np.int32]
    everyone_age_days: NDArray[np.float32]

    @classmethod
    def of(cls, purchases: pl.DataFrame, user_ids: Sequence[str]) -> "PurchaseLog":
        """Count an item once a basket.

        Args:
            purchases: columns user_id, item_index, session_id, age_days; before the cut only.
            user_ids: users under evaluation; row r belongs to user_ids[r].
        """
        once = purchases.group_by("user_id", "session_id", "item_index").agg(pl.col("age_days").min()).sort("user_id", "item_index")
        rows = pl.DataFrame({"user_id": list(user_ids), "user_row": np.arange(len(user_ids), dtype=np.int64)})
        mine = once.join(rows, on="user_id", how="inner", maintain_order="left")
        return cls(
            pairs=UserItems(mine["user_row"].to_numpy(), mine["item_index"].to_numpy().astype(np.int32), len(user_ids)),
            age_days=mine["age_days"].to_numpy().astype(np.float32),
            everyone=once["item_index"].to_numpy().astype(np.int32),
            everyone_age_days=once["age_days"].to_numpy().astype(np.float32),
        )


_ITEM_BITS = 32


def pair_keys(user_row: NDArray[np.int64], item_index: NDArray[np.int32]) -> NDArray[np.int64]:
    """int64, one number a pair of user and item."""
    return (user_row.astype(np.int64) << _ITEM_BITS) | item_index.astype(np.int64)


def contains(sorted_keys: NDArray[np.int64], keys: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each of `keys` is among the ascending `sorted_keys`."""
    if not len(sorted_keys):
        return np.zeros(keys.shape, dtype=bool)
    place = np.minimum(np.searchsorted(sorted_keys, keys), len(sorted_keys) - 1)
    found: NDArray[np.bool_] = sorted_keys[place] == keys
    return found
