"""Normalised SVD: a history smoothed over the main directions of who bought what, people and items counting alike however busy they are.

The ideal low-pass filter of GF-CF (Shen et al., How Powerful is Graph Convolution for Recommendation?, CIKM 2021).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from scipy import sparse

from endcap.algorithms.algorithm import NOT_RECOMMENDED, TrainingData
from endcap.algorithms.decomposition import factors_within
from endcap.algorithms.interactions import Interactions


class NormalisedSvd(BaseModel):
    """The largest singular vectors of the normalised matrix; a history is projected on them and scaled back to items."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    factors: int = Field(default=256, ge=1, description="Directions that are kept.")

    def fit(self, data: TrainingData, seed: int) -> "FittedNormalisedSvd":
        """Decompose; the random projection it starts from follows from `seed`."""
        from sklearn.decomposition import TruncatedSVD

        bought = data.interactions.bought
        buyers = np.asarray(bought.sum(axis=0), dtype=np.float32).ravel()
        scale = np.sqrt(np.maximum(buyers, 1)).astype(np.float32)
        normalised = _users_alike(bought) @ sparse.diags(1 / scale)
        model = TruncatedSVD(factors_within(bought, self.factors), random_state=seed).fit(normalised)
        return FittedNormalisedSvd(np.ascontiguousarray(model.components_.T, dtype=np.float32), scale, buyers > 0)


@dataclass(frozen=True)
class FittedNormalisedSvd:
    """The directions.

    Attributes:
        directions: float32 [n + 1, factors].
        scale: float32 [n + 1], square root of an item's buyers.
        known: bool [n + 1], items that anybody bought.
    """

    directions: NDArray[np.float32]
    scale: NDArray[np.float32]
    known: NDArray[np.bool_]

    def scores(self, histories: Interactions) -> NDArray[np.float32]:
        """float32 [users, n + 1]; nothing for a user without a history."""
        normalised = _users_alike(histories.bought) @ sparse.diags(1 / self.scale)
        scores = np.asarray((normalised @ self.directions) @ self.directions.T * self.scale, dtype=np.float32)
        scores[:, ~self.known] = NOT_RECOMMENDED
        scores[:, 0] = NOT_RECOMMENDED
        scores[np.diff(histories.start) == 0] = NOT_RECOMMENDED
        return scores


def _users_alike(bought: sparse.csr_matrix) -> sparse.csr_matrix:
    """float32: rows by the square root of their sums."""
    total = np.maximum(np.asarray(bought.sum(axis=1), dtype=np.float32).ravel(), 1)
    return sparse.diags((1 / np.sqrt(total)).astype(np.float32)) @ bought


ALGORITHMS: dict[str, Callable[[], NormalisedSvd]] = {"normalised_svd": NormalisedSvd}
"""The models that the harness knows by name."""
