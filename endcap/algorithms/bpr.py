"""BPR: matrix factorisation that learns to rank what was bought above what was not (Rendle et al., UAI 2009), by `implicit`."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from scipy import sparse

from endcap.algorithms.algorithm import TrainingData
from endcap.algorithms.interactions import Interactions
from endcap.algorithms.vector_scores import VectorScores, bought_items

RIDGE_SHARE = 0.01
"""Pull towards zero, as a share of the mean square of what is mapped."""


@dataclass(frozen=True)
class LearnedFoldIn:
    """Vectors of unseen users by a linear map that is learned from the users of the training.

    It maps the sum of the history's item vectors over the root of their number.

    Attributes:
        vectors: float32 [n + 1, d], row 0 zeros.
        weight: float32 [d + 1, e], the last row for a constant.
    """

    vectors: NDArray[np.float32]
    weight: NDArray[np.float32]

    @classmethod
    def of(cls, vectors: NDArray[np.float32], interactions: Interactions, learned: NDArray[np.float32]) -> "LearnedFoldIn":
        """Ridge regression of the `learned` vectors (float32 [users, e]) on the users' histories."""
        has = np.diff(interactions.start) > 0
        inputs = _pooled(vectors, interactions.bought)[has].astype(np.float64)
        gram = inputs.T @ inputs
        gram[np.diag_indices_from(gram)] += RIDGE_SHARE * float(np.trace(gram)) / len(gram)
        return cls(vectors, np.linalg.solve(gram, inputs.T @ learned[has]).astype(np.float32))

    def __call__(self, histories: Interactions) -> NDArray[np.float32]:
        """float32 [users, e]."""
        return _pooled(self.vectors, histories.bought) @ self.weight


def _pooled(vectors: NDArray[np.float32], bought: sparse.csr_matrix) -> NDArray[np.float32]:
    """float32 [users, d + 1], the last column ones."""
    count = np.maximum(np.asarray(bought.sum(axis=1)), 1).reshape(-1, 1)
    pooled = np.asarray(bought @ vectors) / np.sqrt(count)
    return np.concatenate([pooled, np.ones((len(pooled), 1))], axis=1).astype(np.float32)


class Bpr(BaseModel):
    """Vectors of users and items, learned from pairs of an item that a person bought and one that the person did not."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    factors: int = Field(default=64, ge=1, description="Numbers in each vector.")
    learning_rate: float = Field(default=0.05, gt=0, description="Step of each pair.")
    regularisation: float = Field(default=0.01, ge=0, description="Pull of every vector towards zero.")
    iterations: int = Field(default=100, ge=1, description="Rounds over all purchases.")

    def fit(self, data: TrainingData, seed: int) -> VectorScores:
        """Descend; pairs and start values follow from `seed`, so one thread does it."""
        from implicit.cpu.bpr import BayesianPersonalizedRanking

        model = BayesianPersonalizedRanking(
            factors=self.factors,
            learning_rate=self.learning_rate,
            regularization=self.regularisation,
            iterations=self.iterations,
            num_threads=1,
            random_state=seed,
        )
        model.fit(data.interactions.bought, show_progress=False)
        vectors = np.asarray(model.item_factors, dtype=np.float32).copy()
        vectors[0] = 0
        users = np.asarray(model.user_factors, dtype=np.float32)
        return VectorScores(vectors, bought_items(data.interactions), LearnedFoldIn.of(vectors, data.interactions, users))
