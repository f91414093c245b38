"""Own most-bought and own decayed: the person's own items, by how often, or by how often and lately, they were bought.

The strongest simple rules where people buy the same things again.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from scipy import sparse

from endcap.algorithms.algorithm import NOT_RECOMMENDED, TrainingData
from endcap.algorithms.interactions import Interactions
from endcap.algorithms.weights import default_decay_days


@dataclass(frozen=True)
class OwnScores:
    """Nothing is learned but how fast a purchase loses its say; None counts all alike."""

    decay_days: float | None

    def scores(self, histories: Interactions) -> NDArray[np.float32]:
        """float32 [users, n + 1]; items that the user never bought are not recommended."""
        summed = self.summed(histories).toarray()
        summed[:, 0] = 0
        return np.where(summed > 0, summed, NOT_RECOMMENDED).astype(np.float32)

    def summed(self, histories: Interactions) -> sparse.csr_matrix:
        """float64 [users, n + 1]: the same scores, where only the user's own items stand."""
        age_days = histories.age_days
        weight = np.ones(len(age_days), np.float32) if self.decay_days is None else np.exp(-age_days / np.float32(self.decay_days))
        # An age at which exp gives 0 is still a purchase.
        weight = np.maximum(weight, np.finfo(np.float32).tiny).astype(np.float64)
        shape = (histories.users, histories.item_count + 1)
        summed = sparse.csr_matrix((weight, (histories.user_row, histories.item_index)), shape=shape)
        summed.sum_duplicates()
        return summed


class OwnMostBought(BaseModel):
    """The person's own items by how often they were bought; says nothing of any other item."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def fit(self, data: TrainingData, seed: int) -> OwnScores:  # noqa: ARG002 - nothing is learned
        """Nothing is learned."""
        return OwnScores(None)


class OwnDecayed(BaseModel):
    """The person's own items, each purchase counting exp(-age / decay); says nothing of any other item."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    decay_days: float | None = Field(
        default=None, gt=0, description="Age after which a purchase counts 1/e; steps where times are unknown."
    )

    def fit(self, data: TrainingData, seed: int) -> OwnScores:  # noqa: ARG002 - nothing is random
        """Nothing is learned but the decay, where none is given."""
        return OwnScores(self.decay_days or default_decay_days(data.interactions))
