"""Vectors of unseen users for models that have no rule for them: a linear map, learned from the users they were trained on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from endcap.algorithms.interactions import Interactions

RIDGE_SHARE = 0.01
"""Pull towards zero, as a share of the mean square of what is mapped."""


@dataclass(frozen=True)
class LearnedFoldIn:
    """A user's vector from the sum of the history's item vectors over the root of their number.

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
