"""Scores that are sums over a history of what its items' neighbours weigh: what item-to-item methods share once they have counted."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from endcap.algorithms.history_weights import recency_weights
from endcap.algorithms.interactions import Interactions
from endcap.algorithms.method import NOT_RECOMMENDED
from endcap.engine.retrieval.item_to_item import ItemToItem


@dataclass(frozen=True)
class NeighbourScores:
    """A counted table of neighbours.

    Attributes:
        table: nearest first.
        decay_days: age after which a purchase counts 1/e; None counts all alike.
    """

    table: ItemToItem
    decay_days: float | None = None

    @cached_property
    def similarity(self) -> sparse.csr_matrix:
        """float32 [n + 1, n + 1], row i holds the neighbours of item i."""
        rows, places = np.nonzero(self.table.index)
        weight = self.table.weight[rows, places].astype(np.float32)
        n = len(self.table.index)
        return sparse.csr_matrix((weight, (rows, self.table.index[rows, places])), shape=(n, n))

    def scores(self, histories: Interactions) -> NDArray[np.float32]:
        """float32 [users, n + 1]; items that are nobody's neighbour in the history are not recommended."""
        weighed = histories.bought if self.decay_days is None else recency_weights(histories, self.decay_days)
        summed = (weighed @ self.similarity).toarray()
        return np.where(summed > 0, summed, NOT_RECOMMENDED).astype(np.float32)

    def neighbours(self, count: int) -> ItemToItem:
        """The `count` nearest of each item; no more than were kept when counting."""
        return ItemToItem(self.table.index[:, :count], self.table.weight[:, :count])
