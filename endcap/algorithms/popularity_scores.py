"""Scores that are the same for everybody."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.algorithms.interactions import Interactions
from endcap.algorithms.method import NOT_RECOMMENDED


@dataclass(frozen=True)
class PopularityScores:
    """float32 [n + 1], how often each item was bought; what nobody bought is not recommended."""

    bought: NDArray[np.float32]

    @classmethod
    def of(cls, item_index: NDArray[np.int32], item_count: int) -> "PopularityScores":
        """Count purchases (int32 [p])."""
        counts = np.bincount(item_index, minlength=item_count + 1).astype(np.float32)
        counts[0] = 0
        return cls(counts)

    def scores(self, histories: Interactions) -> NDArray[np.float32]:
        """float32 [users, n + 1]."""
        row = np.where(self.bought > 0, self.bought, NOT_RECOMMENDED)
        return np.tile(row, (histories.users, 1))
