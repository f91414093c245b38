"""User neighbours: what people with the same purchases bought besides (Resnick et al., GroupLens, CSCW 1994; cosine on purchases)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from scipy import sparse

from endcap.algorithms.algorithm import NOT_RECOMMENDED, TrainingData
from endcap.algorithms.interactions import Interactions
from endcap.algorithms.weights import inverse_user_frequency

USERS_A_BLOCK = 512


class UserNeighbours(BaseModel):
    """The most similar people by cosine of what they bought, rare items counting more; an item's score is the sum of their similarities."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    neighbours: int = Field(default=200, ge=1, description="Most similar people whose purchases count.")
    shrinkage: float = Field(default=10.0, ge=0, description="Added to the cosine's denominator: damps people who share little.")

    def fit(self, data: TrainingData, seed: int) -> "FittedUserNeighbours":  # noqa: ARG002 - nothing is random
        """Keep everybody's purchases; `seed` changes nothing."""
        bought = data.interactions.bought
        return FittedUserNeighbours(bought, inverse_user_frequency(data.interactions), self.neighbours, self.shrinkage)


@dataclass(frozen=True)
class FittedUserNeighbours:
    """Everybody who may be a neighbour.

    Attributes:
        bought: float32 [u, n + 1].
        rarity: float32 [n + 1], what sharing an item counts.
        neighbours_max: most similar people whose purchases count.
        shrinkage: added to the cosine's denominator.
    """

    bought: sparse.csr_matrix
    rarity: NDArray[np.float32]
    neighbours_max: int
    shrinkage: float

    def scores(self, histories: Interactions) -> NDArray[np.float32]:
        """float32 [users, n + 1]; items that no neighbour bought are not recommended."""
        neighbour_norm = np.sqrt(np.asarray(self.bought @ self.rarity))
        scores = np.empty((histories.users, histories.item_count + 1), dtype=np.float32)
        for start in range(0, histories.users, USERS_A_BLOCK):
            block = histories.bought[start : start + USERS_A_BLOCK]
            norm = np.sqrt(np.asarray(block @ self.rarity))
            shared = (block.multiply(self.rarity).tocsr() @ self.bought.T).toarray()
            nearest = _largest_of_rows(shared / (norm[:, None] * neighbour_norm + self.shrinkage + 1e-12), self.neighbours_max)
            summed = (nearest @ self.bought).toarray()
            scores[start : start + USERS_A_BLOCK] = np.where(summed > 0, summed, NOT_RECOMMENDED)
        scores[:, 0] = NOT_RECOMMENDED
        return scores


def _largest_of_rows(similarity: NDArray[np.float32], count: int) -> sparse.csr_matrix:
    """The `count` largest values of each row above 0."""
    people = similarity.shape[1]
    if people > count:
        threshold = np.partition(similarity, people - count, axis=1)[:, people - count, None]
        similarity = np.where(similarity >= threshold, similarity, 0)
    return sparse.csr_matrix(similarity.astype(np.float32))
