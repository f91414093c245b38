"""What each item of the window is worth next, given what the list shows already."""

import numpy as np
from numpy.typing import NDArray

_SMALLEST = np.float32(np.finfo(np.float32).tiny)

CLOSED = np.float32(-np.inf)
"""Worth of an item that may not be chosen."""


class PlainOrder:
    """Every item is worth its score.

    Attributes:
        value: float32 [w], CLOSED where an item may not be chosen by the ranking.
    """

    def __init__(self, score: NDArray[np.float32]) -> None:
        self._worth = score
        self.value = score.copy()

    def close(self, which: int | NDArray[np.bool_]) -> None:
        self.value[which] = CLOSED

    def close_only(self, which: NDArray[np.bool_]) -> None:
        """Close these of bool [w] and open all others."""
        self.value = np.where(which, CLOSED, self._worth)

    def among(self, allowed: NDArray[np.bool_]) -> NDArray[np.float32]:
        """float32 [w]: what the allowed items are worth, whether the ranking may choose them or not."""
        return np.where(allowed, self._worth, CLOSED)

    def add(self, place: int) -> tuple[float, float]:
        """The item at `place` of the window now stands in the list; what diversity took off it, and what was left."""
        return 0.0, float(self._worth[place])


class MarginalRelevance(PlainOrder):
    """MMR (Carbonell and Goldstein, SIGIR 1998), kept up to date by one matrix-vector product a place.

    An item is worth (1 - strength) relevance - strength similarity, where similarity is the highest cosine to an item that already stands
    in the list, opposites counting as 0.
    """

    def __init__(self, relevance: NDArray[np.float32], embeddings: NDArray[np.float32], strength: float) -> None:
        self._relevance = relevance * np.float32(1 - strength)
        super().__init__(self._relevance)
        self._open = self._relevance.copy()
        vectors = embeddings.astype(np.float32, copy=False)
        squared = np.einsum("ij,ij->i", vectors, vectors)
        self._vectors = vectors * np.sqrt(np.float32(strength) / np.maximum(squared, _SMALLEST))[:, None]
        self._penalty = np.zeros(len(relevance), dtype=np.float32)

    def close(self, which: int | NDArray[np.bool_]) -> None:
        self._open[which] = CLOSED
        self.value[which] = CLOSED

    def close_only(self, which: NDArray[np.bool_]) -> None:
        self._open = np.where(which, CLOSED, self._relevance)
        self.value = self._open - self._penalty

    def among(self, allowed: NDArray[np.bool_]) -> NDArray[np.float32]:
        return np.where(allowed, self._relevance - self._penalty, CLOSED)

    def add(self, place: int) -> tuple[float, float]:
        penalty, relevance = float(self._penalty[place]), float(self._relevance[place])
        np.maximum(self._penalty, self._vectors @ self._vectors[place], out=self._penalty)
        np.subtract(self._open, self._penalty, out=self.value)
        return penalty, relevance - penalty
