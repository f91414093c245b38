"""A user's vector as the mean of the items': how embeddings of items serve people they were not learned from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.algorithms.history_weights import recency_weights
from endcap.algorithms.interactions import Interactions


@dataclass(frozen=True)
class MeanOfHistory:
    """The middle of what somebody bought, the newest counting most.

    Attributes:
        vectors: float32 [n + 1, d], row 0 zeros.
        decay_days: age after which a purchase counts 1/e.
    """

    vectors: NDArray[np.float32]
    decay_days: float

    def __call__(self, histories: Interactions) -> NDArray[np.float32]:
        """float32 [users, d]; zeros for an empty history."""
        weight = recency_weights(histories, self.decay_days)
        total = np.maximum(np.asarray(weight.sum(axis=1)), np.finfo(np.float32).tiny)
        return np.asarray((weight @ self.vectors) / total, dtype=np.float32)


def unit_length(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    """float32, rows of length 1; zeros stay zeros."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(length > 0, length, 1)).astype(np.float32)
