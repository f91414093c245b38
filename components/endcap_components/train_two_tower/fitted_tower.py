"""Fitted next-item towers, alone and as an ensemble: histories to queries, and the items' embeddings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endcap.algorithms.interactions import Interactions
from endcap.contracts.signals import PURCHASE_CODE
from endcap.features.columns import HISTORY_LENGTH
from endcap.training.acts import joined_touches
from endcap_components.train_two_tower.next_item.sequence_batches import left_aligned, newest_steps

USERS_AT_ONCE = 512
QUERIES_AVERAGED = 4096


@dataclass(frozen=True)
class FittedTower:
    """Unit length embeddings of histories and items; their inner product ranks.

    Attributes:
        model: a `SequenceTower`.
        raw: float32 [n + 1, dim], what the item tower gives, of any length; what histories are read as.
        item_embeddings: float32 [n + 1, dim], unit length, row 0 zeros.
        cold_start_query: float32 [dim], the query of an empty history: the mean direction of everybody's.
    """

    model: Any
    raw: NDArray[np.float32]
    item_embeddings: NDArray[np.float32]
    cold_start_query: NDArray[np.float32]

    @classmethod
    def of(cls, model: Any, histories: Interactions) -> "FittedTower":
        """Work out the embeddings.

        Args:
            model: a fitted `SequenceTower`.
            histories: people whose queries are averaged for those without a history.
        """
        raw = model.item_tower.everything().numpy()
        raw[0] = 0
        unit = raw / np.maximum(np.linalg.norm(raw, axis=1, keepdims=True), 1e-9)
        tower = cls(model, raw, unit, np.zeros(raw.shape[1], dtype=np.float32))
        some = np.linspace(0, histories.users, min(histories.users, QUERIES_AVERAGED), endpoint=False).astype(np.int64)
        mean = tower.queries(histories.of_users(some)).sum(axis=0)
        length = np.linalg.norm(mean)
        return cls(model, raw, unit, (mean / length if length > 0 else np.eye(1, len(mean))[0]).astype(np.float32))

    def queries(self, histories: Interactions) -> NDArray[np.float32]:
        """float32 [histories.users, dim], unit length."""
        newest = newest_steps(histories if histories.signal is None else joined_touches(histories), HISTORY_LENGTH)
        length = np.diff(newest.start)
        queries = np.tile(self.cold_start_query, (newest.users, 1))
        known = np.flatnonzero(length)
        order = known[np.argsort(length[known], kind="stable")]
        for first in range(0, len(order), USERS_AT_ONCE):
            users = order[first : first + USERS_AT_ONCE]
            mine = newest.of_users(users)
            signal = np.full(len(mine), PURCHASE_CODE) if mine.signal is None else mine.signal
            steps, types = left_aligned(mine, mine.item_index), left_aligned(mine, signal.astype(np.int32))
            queries[users] = self.model.last_query(self.raw, steps, types, length[users].astype(np.int32))
        return queries


@dataclass(frozen=True)
class TowerEnsemble:
    """Towers of the same items; the joint embeddings have unit length, as the index asks, and are as wide as all together."""

    members: Sequence[FittedTower]

    @property
    def item_embeddings(self) -> NDArray[np.float32]:
        """float32 [n + 1, members x dim], row 0 zeros."""
        return np.concatenate([member.item_embeddings for member in self.members], axis=1) * self._share

    def queries(self, histories: Interactions) -> NDArray[np.float32]:
        """float32 [histories.users, members x dim]."""
        return np.concatenate([member.queries(histories) for member in self.members], axis=1) * self._share

    @property
    def indexed_embeddings(self) -> NDArray[np.float32]:
        """As `item_embeddings`, for an index, which takes unit length only: items that nothing is known of point away from everybody."""
        embeddings = self.item_embeddings
        unknown = np.flatnonzero(~embeddings.any(axis=1))[1:]
        embeddings[unknown] = -np.concatenate([member.cold_start_query for member in self.members]) * self._share
        return embeddings

    @property
    def _share(self) -> np.float32:
        return np.float32(len(self.members) ** -0.5)
