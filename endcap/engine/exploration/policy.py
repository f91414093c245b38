"""What every exploration policy answers, and how its choices get their probabilities."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Arms:
    """What is known about p items that might be shown, the best by score first.

    Attributes:
        clicks: float32 [p], discounted clicks with the prior's, above 0.
        misses: float32 [p], discounted impressions without a click with the prior's, above 0.
        impressions_total: discounted impressions of all items of the catalogue together.
    """

    clicks: NDArray[np.float32]
    misses: NDArray[np.float32]
    impressions_total: float

    def __len__(self) -> int:
        return len(self.clicks)

    @property
    def rate(self) -> NDArray[np.float32]:
        """float32 [p], the posterior mean of the click rate."""
        mean: NDArray[np.float32] = self.clicks / (self.clicks + self.misses)
        return mean


@dataclass(frozen=True)
class Choice:
    """Which items a policy shows, and how likely it was to.

    Attributes:
        order: int64 [most], distinct arms, first choice first; whoever needs fewer takes the first ones.
        inclusion: float64 [most, p]: row q holds each arm's probability to be among the first q + 1 choices.
    """

    order: NDArray[np.int64]
    inclusion: NDArray[np.float64]


class Policy(Protocol):
    """Chooses items to learn about."""

    @property
    def name(self) -> str:
        """As in the settings."""

    def choose(self, arms: Arms, most: int, random: np.random.Generator) -> Choice:
        """Choose `most` of the arms, 1 <= most <= p.

        Args:
            arms: p items.
            most: how many at most will be shown.
            random: the request's own randomness.
        """


def choice_among(worth: NDArray[np.float32], most: int, floor: float, random: np.random.Generator) -> Choice:
    """One row of `worth` decides, each with the same chance; with probability `floor` the choice is uniform over all arms instead.

    The rows are drawn first, so given them the probability of an arm is its share of the rows, exactly, and the row that decides is one of
    them. The uniform part (a defensive mixture, Hesterberg 1995) gives every arm a chance, without which inverse propensity scores would be
    blind to the arms that no row chose.

    Args:
        worth: float32 [rows, p], higher is chosen first, equal worth by place; overwritten. Rows must be exchangeable: the first decides.
        most: how many arms to choose, 1 <= most <= p.
        floor: in [0, 1].
        random: the request's own randomness.
    """
    rows, arms = worth.shape
    order = np.empty(most, dtype=np.int64)
    chosen = np.zeros((most, arms))
    for place in range(most):
        best = worth.argmax(axis=1)
        order[place] = best[0]
        chosen[place] += np.bincount(best, minlength=arms)
        if place + 1 < most:
            worth[np.arange(rows), best] = -np.inf
            chosen[place + 1] = chosen[place]
    inclusion = chosen * ((1 - floor) / rows) + (floor / arms) * np.arange(1, most + 1)[:, None]
    if floor > 0 and random.random() < floor:
        order = random.permutation(arms)[:most]
    return Choice(order, inclusion)
