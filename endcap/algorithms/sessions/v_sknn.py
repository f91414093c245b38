"""V-SkNN: what visits like this one hold, the newest items counting most (Ludewig and Jannach, UMUAI 2018)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from scipy import sparse

from endcap.algorithms.algorithm import NOT_RECOMMENDED, TrainingData
from endcap.algorithms.interactions import Interactions

VISITS_AT_ONCE = 512


class VSknn(BaseModel):
    """The visits most like this one, among the newest that share an item with it.

    A shared item counts its place in this visit, rising linearly to 1 for the newest. What a neighbour holds counts the neighbour's
    similarity, less the further back the newest shared item stands, and more the rarer the item is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    neighbours: int = Field(default=100, ge=1, description="Most similar visits whose items count.")
    sample: int = Field(default=1000, ge=1, description="Newest visits that share an item, among which neighbours are looked for.")
    decay: float = Field(default=0.1, ge=0, le=1, description="What a neighbour loses for each step that its newest shared item is back.")
    idf: float = Field(default=1.0, ge=0, description="What log(visits / visits with the item) adds to an item's score; 0 for nothing.")

    def fit(self, data: TrainingData, seed: int) -> "FittedVSknn":  # noqa: ARG002 - nothing is random
        """Keep all visits, newest first; `seed` changes nothing."""
        visits = data.interactions
        ended = np.full(visits.users, np.inf, dtype=np.float32)
        has = np.diff(visits.start) > 0
        ended[has] = visits.age_days[visits.start[1:][has] - 1]
        newest_first = visits.of_users(np.argsort(ended, kind="stable")[: int(has.sum())])
        holds = sparse.csr_matrix(
            (np.ones(len(newest_first), np.float32), (newest_first.user_row, newest_first.item_index)),
            shape=(newest_first.users, visits.item_count + 1),
        )
        holds.sum_duplicates()
        holds.data[:] = 1.0
        return FittedVSknn(holds, self)


@dataclass(frozen=True)
class FittedVSknn:
    """Everybody's visits.

    Attributes:
        holds: float32 [visits, n + 1], 1 where a visit holds an item; the newest visits first.
        settings: of the algorithm.
    """

    holds: sparse.csr_matrix
    settings: VSknn

    def scores(self, histories: Interactions) -> NDArray[np.float32]:
        """float32 [visits, n + 1]; items that no neighbour holds are not recommended."""
        scores = np.zeros((histories.users, histories.item_count + 1), dtype=np.float32)
        by_item = self.holds.T.tocsr()
        for first in range(0, histories.users, VISITS_AT_ONCE):
            part = histories.of_users(np.arange(first, min(first + VISITS_AT_ONCE, histories.users)))
            similar = (part.strongest(_place(part)) @ by_item).tocsr()
            rows, visits, similarity = self._nearest(similar)
            back = self._steps_back(part, rows, visits)
            weight = similarity * np.maximum(1 - np.float32(self.settings.decay) * back, 0)
            weights = sparse.csr_matrix((weight, (rows, visits)), shape=similar.shape)
            scores[first : first + part.users] = (weights @ self.holds).toarray()
        scores *= 1 + np.float32(self.settings.idf) * self._rarity()
        scores[:, 0] = 0
        return np.where(scores > 0, scores, NOT_RECOMMENDED).astype(np.float32)

    def _nearest(self, similar: sparse.csr_matrix) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
        """Rows, their neighbours and similarities: of the newest that share an item the most similar, newer ones where they are alike."""
        row = np.repeat(np.arange(similar.shape[0]), np.diff(similar.indptr))
        visit, similarity = similar.indices.astype(np.int64), similar.data
        order = np.lexsort((visit, row))
        order = order[_place_in_row(row[order]) < self.settings.sample]
        order = order[np.lexsort((visit[order], -similarity[order], row[order]))]
        order = order[_place_in_row(row[order]) < self.settings.neighbours]
        return row[order], visit[order], similarity[order]

    def _steps_back(self, part: Interactions, rows: NDArray[np.int64], visits: NDArray[np.int64]) -> NDArray[np.float32]:
        """float32 [pairs]: how many steps before the newest one the newest item stands that a visit shares with its neighbour."""
        step = (np.arange(len(part)) - part.start[:-1][part.user_row] + 1).astype(np.float32)
        shared = self.holds[visits].multiply(part.strongest(step)[rows])
        newest = shared.tocsr().max(axis=1).toarray().ravel()
        return np.asarray(np.diff(part.start)[rows] - newest, dtype=np.float32)

    def _rarity(self) -> NDArray[np.float32]:
        visits_with = np.maximum(np.asarray(self.holds.sum(axis=0)).ravel(), 1)
        return np.asarray(np.log(max(self.holds.shape[0], 1) / visits_with), dtype=np.float32)


def _place(histories: Interactions) -> NDArray[np.float32]:
    """float32 [p]: each item's place in its history over the history's length, 1 for the newest."""
    length = np.diff(histories.start)[histories.user_row]
    return ((np.arange(len(histories)) - histories.start[:-1][histories.user_row] + 1) / length).astype(np.float32)


def _place_in_row(row: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of ascending rows, each entry's place in its row, from 0."""
    return np.arange(len(row)) - np.searchsorted(row, row, side="left")
