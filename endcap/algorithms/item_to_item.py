"""Item-to-item by cosine, by lift, and by cosine with the newest purchases first: what the buyers of the user's items bought too."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from scipy import sparse

from endcap.algorithms.algorithm import NOT_RECOMMENDED, TrainingData
from endcap.algorithms.co_occurrence import cosine, log_lift, neighbour_table
from endcap.algorithms.interactions import Interactions
from endcap.algorithms.weights import default_decay_days, recency_weights
from endcap.engine.retrieval.item_to_item import ItemToItem


@dataclass(frozen=True)
class NeighbourScores:
    """A counted table of neighbours; scores are sums over a history of what its items' neighbours weigh.

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


class ItemToItemCosine(BaseModel):
    """Neighbours by cosine of their buyers with shrinkage (Sarwar et al., WWW 2001), summed over the history, all purchases alike."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shrinkage: float = Field(default=10.0, ge=0, description="Added to the cosine's denominator: damps pairs that few people share.")
    neighbours: int = Field(default=200, ge=1, description="Kept for each item.")

    def fit(self, data: TrainingData, seed: int) -> NeighbourScores:  # noqa: ARG002 - nothing is random
        """Count; `seed` changes nothing."""
        return NeighbourScores(neighbour_table(data.interactions, cosine(self.shrinkage), self.neighbours))


class ItemToItemLift(BaseModel):
    """Neighbours by the logarithm of their lift with shrinkage (Brin et al., SIGMOD 1997), summed over the history.

    Prefers what is bought together more often than chance would have it to what is popular.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    shrinkage: float = Field(default=10.0, ge=0, description="People who have to share a pair for half of its lift to count.")
    neighbours: int = Field(default=200, ge=1, description="Kept for each item.")

    def fit(self, data: TrainingData, seed: int) -> NeighbourScores:  # noqa: ARG002 - nothing is random
        """Count; `seed` changes nothing."""
        return NeighbourScores(neighbour_table(data.interactions, log_lift(data.interactions.users, self.shrinkage), self.neighbours))


class ItemToItemRecent(BaseModel):
    """Neighbours by cosine with shrinkage, summed over the history with weights that fall with age."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shrinkage: float = Field(default=10.0, ge=0, description="Added to the cosine's denominator: damps pairs that few people share.")
    neighbours: int = Field(default=200, ge=1, description="Kept for each item.")
    decay_days: float | None = Field(
        default=None, gt=0, description="Age after which a purchase counts 1/e; steps where times are unknown."
    )

    def fit(self, data: TrainingData, seed: int) -> NeighbourScores:  # noqa: ARG002 - nothing is random
        """Count; `seed` changes nothing."""
        table = neighbour_table(data.interactions, cosine(self.shrinkage), self.neighbours)
        return NeighbourScores(table, self.decay_days or default_decay_days(data.interactions))
