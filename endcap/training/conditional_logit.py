"""Weights of terms from what was chosen among candidates: a conditional logit (McFadden, 1974)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SHRINKAGE = 1e-4


@dataclass(frozen=True)
class Choices:
    """q choices among m candidates in all, a choice's candidates together.

    Attributes:
        terms: float64 [m, t], what is said of each.
        start: int64 [q + 1]; candidates of choice r are start[r] to start[r + 1], at least one.
        share: float64 [m], which were chosen; sums to 1 in each choice.
        offset: float64 [m], log of how many candidates each stands for; None for one each.
    """

    terms: NDArray[np.float64]
    start: NDArray[np.int64]
    share: NDArray[np.float64]
    offset: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.start) - 1


def fit_weights(choices: Choices) -> NDArray[np.float32]:
    """float32 [t], none below 0: under these what was chosen is likeliest; all 1 where nothing was."""
    from scipy.optimize import minimize

    count = choices.terms.shape[1]
    if not len(choices):
        return np.ones(count, dtype=np.float32)
    scale = np.maximum(choices.terms.std(axis=0), 1e-9)
    scaled, choice = choices.terms / scale, np.repeat(np.arange(len(choices)), np.diff(choices.start))
    offset = np.zeros(len(scaled)) if choices.offset is None else choices.offset
    chosen, first = choices.share @ scaled, choices.start[:-1]

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        utility = scaled @ weights + offset
        highest = np.maximum.reduceat(utility, first)
        likely = np.exp(utility - highest[choice])
        total = np.add.reduceat(likely, first)
        likely /= total[choice]
        value = ((highest + np.log(total)).sum() - chosen @ weights - choices.share @ offset) / len(choices)
        gradient = (likely @ scaled - chosen) / len(choices)
        return float(value + SHRINKAGE * weights @ weights), gradient + 2 * SHRINKAGE * weights

    found = minimize(loss, np.ones(count), jac=True, method="L-BFGS-B", bounds=[(0.0, None)] * count)
    return np.asarray(found.x / scale, dtype=np.float32)
