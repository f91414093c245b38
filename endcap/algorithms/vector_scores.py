"""Scores that are products of a user's vector and the items': what factor models and embeddings share once they have learned."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from endcap.algorithms.algorithm import NOT_RECOMMENDED
from endcap.algorithms.interactions import Interactions
from endcap.algorithms.weights import recency_weights


class UserEncoder(Protocol):
    """Makes vectors of histories, also of people who were not learned from."""

    def __call__(self, histories: Interactions) -> NDArray[np.float32]:
        """float32 [users, d]."""


@dataclass(frozen=True)
class VectorScores:
    """Learned items, and how a history becomes a vector among them.

    Attributes:
        vectors: float32 [n + 1, d], row 0 zeros.
        known: bool [n + 1], items that something was learned of; others are not recommended.
        encode: vectors of users.
    """

    vectors: NDArray[np.float32]
    known: NDArray[np.bool_]
    encode: UserEncoder

    def scores(self, histories: Interactions) -> NDArray[np.float32]:
        """float32 [users, n + 1]; nothing for a user without a history."""
        scores = self.encode(histories) @ self.vectors.T
        scores[:, ~self.known] = NOT_RECOMMENDED
        scores[np.diff(histories.start) == 0] = NOT_RECOMMENDED
        return scores.astype(np.float32, copy=False)

    def item_vectors(self) -> NDArray[np.float32]:
        """float32 [n + 1, d], zeros for items that nothing was learned of."""
        return np.where(self.known[:, None], self.vectors, np.float32(0))


def bought_items(interactions: Interactions) -> NDArray[np.bool_]:
    """bool [n + 1]: items that anybody bought."""
    known = np.bincount(interactions.item_index, minlength=interactions.item_count + 1) > 0
    known[0] = False
    return known


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
