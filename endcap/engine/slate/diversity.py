"""Maximal marginal relevance over item embeddings, and a cap per category."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.engine.slate.marginal_relevance import MarginalRelevance
from endcap.engine.slate.placements import Cap
from endcap.engine.slate.window import Window

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
        most: items a category may have in the list; None for no cap.
    """

    strength: float = 0.0
    embeddings: Embeddings | None = None
    group: NDArray[np.int32] | None = None
    most: int | None = None

    @property
    def caps(self) -> tuple[Cap, ...]:
        """The category cap; it yields to every rule."""
        if self.group is None or self.most is None:
            return ()
        return (Cap(DIVERSITY_RULE, self.group, self.most),)

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
