"""Ranked lists of many users as one matrix."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from endcap.engine.retrieval.candidates import Candidates
from endcap.evaluation.user_items import UserItems, contains, pair_keys


@dataclass(frozen=True)
class ScoredPairs:
    """Scores that a model gives to pairs of users and items; pairs it does not score it does not recommend.

    Attributes:
        pairs: p pairs, distinct.
        score: float64 [p], higher is better.
    """

    pairs: UserItems
    score: NDArray[np.float64]

    @classmethod
    def of(cls, candidates: Sequence[Candidates]) -> "ScoredPairs":
        """One `Candidates` a user, in order of the users."""
        lengths = [len(each.index) for each in candidates]
        rows = np.repeat(np.arange(len(candidates), dtype=np.int64), lengths)
        index = np.concatenate([each.index for each in candidates]) if candidates else np.zeros(0, np.int32)
        score = np.concatenate([each.score for each in candidates]) if candidates else np.zeros(0, np.float32)
        return cls(UserItems(rows, index, len(candidates)), score.astype(np.float64))

    @classmethod
    def of_matrix(cls, scores: sparse.csr_matrix) -> "ScoredPairs":
        """What stands in a sparse matrix, [users, n + 1]."""
        rows = np.repeat(np.arange(scores.shape[0], dtype=np.int64), np.diff(scores.indptr))
        return cls(UserItems(rows, scores.indices.astype(np.int32), scores.shape[0]), scores.data.astype(np.float64))

    @classmethod
    def same_for_all(cls, candidates: Candidates, depths: NDArray[np.int64]) -> "ScoredPairs":
        """The first `depths` (int64 [users]) of one list for every user."""
        lengths = np.minimum(depths, len(candidates.index))
        rows = np.repeat(np.arange(len(depths), dtype=np.int64), lengths)
        place = np.arange(len(rows)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        return cls(UserItems(rows, candidates.index[place], len(depths)), candidates.score[place].astype(np.float64))

    def eligible(self, eligible: NDArray[np.bool_]) -> "ScoredPairs":
        """Only items where `eligible` (bool [n + 1]) holds."""
        return self._where(eligible[self.pairs.item_index])

    def new_to_user(self, bought: UserItems) -> "ScoredPairs":
        """Only items that the user has not bought."""
        return self._where(~contains(bought.keys, pair_keys(self.pairs.user_row, self.pairs.item_index)))

    def filled_from(self, other: "ScoredPairs") -> "ScoredPairs":
        """Behind the own pairs, those of `other` that are missing, in their order."""
        rest = ~contains(self.pairs.keys, pair_keys(other.pairs.user_row, other.pairs.item_index))
        floor = (self.score.min() if len(self.score) else 0.0) - 1.0
        ceiling = other.score.max() if len(other.score) else 0.0
        pairs = UserItems(
            np.concatenate([self.pairs.user_row, other.pairs.user_row[rest]]),
            np.concatenate([self.pairs.item_index, other.pairs.item_index[rest]]),
            self.pairs.users,
        )
        return ScoredPairs(pairs, np.concatenate([self.score, floor + other.score[rest] - ceiling]))

    def lists(self, k: int) -> "RankedLists":
        """Every user's `k` best; ties by item index."""
        by_user = np.argsort(self.pairs.user_row, kind="stable")
        bounds = np.searchsorted(self.pairs.user_row[by_user], np.arange(self.pairs.users + 1))
        items = np.zeros((self.pairs.users, k), dtype=np.int32)
        # Many short sorts stay in the cache: a seventh of the time of one sort of all pairs.
        for user, (start, end) in enumerate(pairwise(bounds)):
            own = by_user[start:end]
            index = self.pairs.item_index[own]
            best = index[np.lexsort((index, -self.score[own]))[:k]]
            items[user, : len(best)] = best
        return RankedLists(items)

    def _where(self, keep: NDArray[np.bool_]) -> "ScoredPairs":
        return ScoredPairs(self.pairs.where(keep), self.score[keep])


@dataclass(frozen=True)
class RankedLists:
    """int32 [users, k] item indices, best first; 0 where a list is shorter."""

    items: NDArray[np.int32]

    @property
    def k(self) -> int:
        return int(self.items.shape[1])

    def hits(self, truth: UserItems) -> NDArray[np.bool_]:
        """bool [users, k]: whether the item in each place is in the user's truth."""
        rows = np.broadcast_to(np.arange(len(self.items), dtype=np.int64)[:, None], self.items.shape)
        return contains(truth.keys, pair_keys(rows, self.items)) & (self.items > 0)

    def users(self, rows: NDArray[np.bool_]) -> "RankedLists":
        """The lists of some users, bool [users]."""
        return RankedLists(self.items[rows])
