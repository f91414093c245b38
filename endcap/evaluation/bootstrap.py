"""Bootstrap intervals over users (Efron, Annals of Statistics 1979; percentile method), the same resamples for every model.

Users are drawn, not list places: what one user bought says nothing new about the same user's other list places.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BLOCK_CELLS = 4_000_000


@dataclass(frozen=True)
class Interval:
    """A mean and the interval that holds it with the given confidence."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Resamples:
    """Draws of users with replacement, repeatable by seed.

    Because a seed gives the same draws every time, the difference of two models is resampled in pairs.

    Attributes:
        users: rows of what is resampled.
        seed: of the draws.
        count: of the resamples.
        level: of the interval.
        group: int64 [users], numbers from 0 of what is drawn as a whole, for example the visit that a row is a part of; None where each
            row is drawn by itself.
    """

    users: int
    seed: int
    count: int = 1000
    level: float = 0.95
    group: NDArray[np.int64] | None = None

    @classmethod
    def by_id(cls, ids: NDArray[np.str_], seed: int) -> "Resamples":
        """Rows of the same id are drawn together."""
        distinct, group = np.unique(ids, return_inverse=True)
        return cls(len(ids), seed, group=None if len(distinct) == len(ids) else group.astype(np.int64))

    def blocks(self) -> Iterator[NDArray[np.int32]]:
        """How often each user is in each resample, int32 [resamples of the block, users]; memory stays bounded."""
        random = np.random.default_rng(self.seed)
        rows = max(1, BLOCK_CELLS // max(self.users, 1))
        drawn_from = self.users if self.group is None else int(self.group.max()) + 1
        for start in range(0, self.count, rows):
            size = min(rows, self.count - start)
            drawn = random.integers(0, drawn_from, size=(size, drawn_from))
            flat = np.bincount((drawn + np.arange(size)[:, None] * drawn_from).ravel(), minlength=size * drawn_from)
            block = flat.reshape(size, drawn_from).astype(np.int32)
            yield block if self.group is None else block[:, self.group]

    def means(self, values: NDArray[np.float64]) -> list[Interval]:
        """Mean and interval of every column.

        Args:
            values: float64 [users, columns].
        """
        resampled = np.concatenate([block @ values / block.sum(axis=1, keepdims=True) for block in self.blocks()])
        return [interval_of(float(values[:, column].mean()), resampled[:, column], self.level) for column in range(values.shape[1])]


def interval_of(mean: float, resampled: NDArray[np.float64], level: float) -> Interval:
    """The percentile interval of resampled figures, float64 [resamples]."""
    low, high = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2])
    return Interval(mean, float(low), float(high))
