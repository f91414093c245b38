"""Weights of sources by a conditional logit: what makes the item that came next most likely among the candidates (McFadden, 1974)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.algorithms.algorithm import Fitted
from endcap.training.held_out import HeldOut

CANDIDATES = 100
"""Best items of each source that are compared."""
USERS_AT_ONCE = 256
LOWEST = np.float32(-1e6)
"""Stands for minus infinity where scores are added."""
SHRINKAGE = 1e-4


@dataclass(frozen=True)
class Choices:
    """Candidates of u people, and which of them came next; people whose next item no source brought are left out.

    Attributes:
        scores: float64 [c, sources], a person's candidates together.
        start: int64 [u + 1].
        chosen: int64 [u], rows of `scores`.
    """

    scores: NDArray[np.float64]
    start: NDArray[np.int64]
    chosen: NDArray[np.int64]


def choices_of(sources: Sequence[Fitted], held_out: HeldOut) -> Choices:
    """The best of every source for people held out, without what they had."""
    scores: list[NDArray[np.float64]] = []
    length, chosen = [], []
    for first in range(0, held_out.histories.users, USERS_AT_ONCE):
        users = np.arange(first, min(first + USERS_AT_ONCE, held_out.histories.users))
        histories = held_out.histories.of_users(users)
        of_sources = np.stack([np.maximum(source.scores(histories), LOWEST) for source in sources])
        of_sources[:, :, 0] = LOWEST
        of_sources[:, histories.user_row, histories.item_index] = LOWEST
        count = min(CANDIDATES, of_sources.shape[2] - 1)
        best = np.argpartition(-of_sources, count - 1, axis=2)[:, :, :count]
        for row, user in enumerate(users):
            candidates = np.unique(best[:, row])
            candidates = candidates[(of_sources[:, row, candidates] > LOWEST).all(axis=0)]
            place = np.flatnonzero(candidates == held_out.next_item[user])
            if len(place):
                chosen.append(sum(length) + int(place[0]))
                length.append(len(candidates))
                scores.append(of_sources[:, row, candidates].T.astype(np.float64))
    start = np.concatenate([[0], np.cumsum(length)]).astype(np.int64)
    return Choices(np.concatenate(scores) if scores else np.zeros((0, len(sources))), start, np.asarray(chosen, dtype=np.int64))


def choice_weights(choices: Choices) -> NDArray[np.float32]:
    """float32 [sources], none below 0; all alike where nothing is to be learned from."""
    from scipy.optimize import minimize

    sources = choices.scores.shape[1]
    if not len(choices.chosen):
        return np.ones(sources, dtype=np.float32)
    scale = np.maximum(choices.scores.std(axis=0), 1e-9)
    scaled = choices.scores / scale
    person = np.repeat(np.arange(len(choices.chosen)), np.diff(choices.start))

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        utility = scaled @ weights
        highest = np.maximum.reduceat(utility, choices.start[:-1])
        likely = np.exp(utility - highest[person])
        total = np.add.reduceat(likely, choices.start[:-1])
        likely /= total[person]
        value = (highest + np.log(total) - utility[choices.chosen]).mean() + SHRINKAGE * weights @ weights
        gradient = (likely @ scaled - scaled[choices.chosen].sum(axis=0)) / len(choices.chosen) + 2 * SHRINKAGE * weights
        return float(value), gradient

    found = minimize(loss, np.ones(sources), jac=True, method="L-BFGS-B", bounds=[(0.0, None)] * sources)
    return (found.x / scale).astype(np.float32)
