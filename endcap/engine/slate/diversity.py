"""Diversity: maximal marginal relevance over item embeddings, and a cap per category."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.engine.slate.category_cap import affordable_most
from endcap.engine.slate.placements import Cap
from endcap.engine.slate.window import Window

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


DIVERSITY_RULE = "diversity"
"""What a cap of diversity is called among the rules."""

_SMALLEST = np.float32(np.finfo(np.float32).tiny)
_LEAST = -1e30

Embeddings = NDArray[np.float32] | Callable[[NDArray[np.int32]], NDArray[np.float32]]


@dataclass(frozen=True)
class Diversity:
    """How different the items of a list shall be.

    Attributes:
        strength: in [0, 1]; 0 leaves the order of the scores, 1 looks at likeness only.
        embeddings: float32 [m, dim] over the candidates, or a function from int32 [w] candidate rows to float32 [w, dim], which is then
            called once and for the window only. Their lengths do not matter, directions do. None: caps only.
        group: int32 [m], category code a candidate, negative where the cap does not concern it; None for no cap.
        most: items a category may have in the list, more where the cap would leave too little; None for no cap.
    """

    strength: float = 0.0
    embeddings: Embeddings | None = None
    group: NDArray[np.int32] | None = None
    most: int | None = None

    def cap(self, score: NDArray[np.float32], places: int) -> Cap | None:
        """The category cap, as tight as the candidates allow; it yields to every rule.

        Args:
            score: float32 [m], finite.
            places: length of the list.
        """
        if self.group is None or self.most is None:
            return None
        return Cap(DIVERSITY_RULE, self.group, affordable_most(score, self.group, self.most, places))

    def over(self, window: Window) -> MarginalRelevance | None:
        """The measure for one window; None where the order of the scores is to stay."""
        if self.strength <= 0 or self.embeddings is None:
            return None
        gathered = self.embeddings(window.rows) if callable(self.embeddings) else self.embeddings[window.rows]
        return MarginalRelevance(relevance(window), gathered, min(self.strength, 1.0))


def relevance(window: Window) -> NDArray[np.float32]:
    """Scores on the scale of cosines: float32 [w], 1 for the best, 0 for the last of the window's anchor, in the order of the scores.

    Scores that are all positive are products of probabilities and values, so they are compared by their logarithms, where twice as likely
    is the same step everywhere; other scores as they are. Rows behind the anchor are below 0.
    """
    score, last = window.score.astype(np.float64), min(window.anchor, len(window)) - 1
    if len(score) and score[last] > 0:
        score = np.log(np.maximum(score, _SMALLEST))
    span = score[0] - score[last] if len(score) else 0.0
    scaled = (score - score[last]) / span if span > 0 else np.zeros(len(score))
    return np.maximum(scaled, _LEAST).astype(np.float32)
