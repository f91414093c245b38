"""What people did, by user in the order of time: what every algorithm learns from, and what it recommends to."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse


@dataclass(frozen=True)
class Interactions:
    """p interactions of u users among n items: purchases, or signals of several kinds; a user's stand together, oldest first.

    Attributes:
        start: int64 [u + 1]; interactions of user row r are start[r] to start[r + 1].
        item_index: int32 [p], 1 to n; an item as often as something happened with it.
        age_days: float32 [p], days before the moment that the data is seen from; never rises within a user. Data that knows an order and
            no times counts a day a step, back from each user's own end.
        item_count: n, items in the catalogue; index 0 stands for padding and the unknown.
        signal: uint8 [p], codes of `endcap.contracts.signals`; None where all are purchases.
        weight: float32 [p], what each counts; None where all count 1.
    """

    start: NDArray[np.int64]
    item_index: NDArray[np.int32]
    age_days: NDArray[np.float32]
    item_count: int
    signal: NDArray[np.uint8] | None = None
    weight: NDArray[np.float32] | None = None

    @classmethod
    def of(cls, purchases: pl.DataFrame, user_ids: Sequence[str], item_count: int) -> "Interactions":
        """Interactions of some users.

        Args:
            purchases: columns user_id, item_index, age_days, and maybe signal and weight; each user's rows oldest first.
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
            signal=mine["signal"].to_numpy().astype(np.uint8) if "signal" in mine.columns else None,
            weight=mine["weight"].to_numpy().astype(np.float32) if "weight" in mine.columns else None,
        )

    @classmethod
    def concatenated(cls, parts: Sequence["Interactions"]) -> "Interactions":
        """The users of several parts of one data set, one after the other; at least one part, and signals in all or in none. No weights."""
        signals = [part.signal for part in parts if part.signal is not None]
        return cls(
            start=np.concatenate([[0], np.cumsum(np.concatenate([np.diff(part.start) for part in parts]))]).astype(np.int64),
            item_index=np.concatenate([part.item_index for part in parts]),
            age_days=np.concatenate([part.age_days for part in parts]),
            item_count=parts[0].item_count,
            signal=np.concatenate(signals) if signals else None,
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
        """float32 [u, n + 1]: what a user's interactions with each item add up to; how often it was bought where all are purchases."""
        weight = np.ones(len(self), dtype=np.float32) if self.weight is None else self.weight
        matrix = sparse.csr_matrix((weight, (self.user_row, self.item_index)), shape=(self.users, self.item_count + 1))
        matrix.sum_duplicates()
        return matrix

    @cached_property
    def bought(self) -> sparse.csr_matrix:
        """float32 [u, n + 1]: 1 where a user ever bought an item; with weights that of the strongest signal."""
        if self.weight is None:
            matrix = self.counts.copy()
            matrix.data[:] = 1.0
            return matrix
        return self.strongest(self.weight)

    def strongest(self, weight: NDArray[np.float32]) -> sparse.csr_matrix:
        """float32 [u, n + 1]: the largest of the weights, float32 [p], that a user's interactions with each item have; none of 0."""
        order = np.lexsort((weight, self.item_index, self.user_row))
        row, item, weight = self.user_row[order], self.item_index[order], weight[order]
        is_last = np.append((np.diff(row) != 0) | (np.diff(item) != 0), True)[: len(row)] & (weight > 0)
        return sparse.csr_matrix((weight[is_last], (row[is_last], item[is_last])), shape=(self.users, self.item_count + 1))

    def of_users(self, rows: NDArray[np.integer]) -> "Interactions":
        """The interactions of some users, in the order of `rows`."""
        length = np.diff(self.start)[rows]
        start = np.concatenate([[0], np.cumsum(length)]).astype(np.int64)
        place = np.repeat(self.start[:-1][rows] - start[:-1], length) + np.arange(start[-1])
        return self._at(start, place)

    def where(self, keep: NDArray[np.bool_]) -> "Interactions":
        """The interactions where `keep` (bool [p]) holds; all users stay."""
        start = np.concatenate([[0], np.cumsum(keep)])[self.start].astype(np.int64)
        return self._at(start, np.flatnonzero(keep))

    def _at(self, start: NDArray[np.int64], place: NDArray[np.int64]) -> "Interactions":
        signal = None if self.signal is None else self.signal[place]
        weight = None if self.weight is None else self.weight[place]
        return Interactions(start, self.item_index[place], self.age_days[place], self.item_count, signal, weight)
