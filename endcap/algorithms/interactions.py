"""Purchases by user in the order of time: what every algorithm learns from, and what it recommends to."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse


@dataclass(frozen=True)
class Interactions:
    """p purchases of u users among n items; a user's stand together, oldest first, an item as often as it was bought.

    Attributes:
        start: int64 [u + 1]; purchases of user row r are start[r] to start[r + 1].
        item_index: int32 [p], 1 to n.
        age_days: float32 [p], days before the moment that the data is seen from; never rises within a user. Data that knows an order and
            no times counts a day a step, back from each user's own end.
        item_count: n, items in the catalogue; index 0 stands for padding and the unknown.
    """

    start: NDArray[np.int64]
    item_index: NDArray[np.int32]
    age_days: NDArray[np.float32]
    item_count: int

    @classmethod
    def of(cls, purchases: pl.DataFrame, user_ids: Sequence[str], item_count: int) -> "Interactions":
        """Purchases of some users.

        Args:
            purchases: columns user_id, item_index, age_days; each user's rows oldest first.
            user_ids: row r of the result belongs to user_ids[r].
            item_count: items of the catalogue.
        """
        rows = pl.DataFrame({"user_id": list(user_ids), "user_row": np.arange(len(user_ids))}, schema_overrides={"user_id": pl.String})
        mine = purchases.join(rows, on="user_id", how="inner", maintain_order="left").sort("user_row", maintain_order=True)
        return cls(
            start=np.searchsorted(mine["user_row"].to_numpy(), np.arange(len(user_ids) + 1)).astype(np.int64),
            item_index=mine["item_index"].to_numpy().astype(np.int32),
            age_days=mine["age_days"].to_numpy().astype(np.float32),
            item_count=item_count,
        )

    def __len__(self) -> int:
        return len(self.item_index)

    @property
    def users(self) -> int:
        return len(self.start) - 1

    @cached_property
    def user_row(self) -> NDArray[np.int64]:
        """int64 [p], ascending."""
        return np.repeat(np.arange(self.users, dtype=np.int64), np.diff(self.start))

    @cached_property
    def counts(self) -> sparse.csr_matrix:
        """float32 [u, n + 1]: how often each user bought each item."""
        ones = np.ones(len(self), dtype=np.float32)
        matrix = sparse.csr_matrix((ones, (self.user_row, self.item_index)), shape=(self.users, self.item_count + 1))
        matrix.sum_duplicates()
        return matrix

    @cached_property
    def bought(self) -> sparse.csr_matrix:
        """float32 [u, n + 1]: 1 where a user ever bought an item."""
        matrix = self.counts.copy()
        matrix.data[:] = 1.0
        return matrix

    def of_users(self, rows: NDArray[np.integer]) -> "Interactions":
        """The purchases of some users, in the order of `rows`."""
        length = np.diff(self.start)[rows]
        start = np.concatenate([[0], np.cumsum(length)]).astype(np.int64)
        place = np.repeat(self.start[:-1][rows] - start[:-1], length) + np.arange(start[-1])
        return Interactions(start, self.item_index[place], self.age_days[place], self.item_count)

    def where(self, keep: NDArray[np.bool_]) -> "Interactions":
        """The purchases where `keep` (bool [p]) holds; all users stay."""
        start = np.concatenate([[0], np.cumsum(keep)])[self.start].astype(np.int64)
        return Interactions(start, self.item_index[keep], self.age_days[keep], self.item_count)
