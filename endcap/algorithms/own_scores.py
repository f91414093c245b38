"""Scores of the user's own items: sums over a person's purchases of an item."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from endcap.algorithms.interactions import Interactions
from endcap.algorithms.method import NOT_RECOMMENDED


@dataclass(frozen=True)
class OwnScores:
    """Nothing is learned but how fast a purchase loses its say; None counts all alike."""

    decay_days: float | None

    def scores(self, histories: Interactions) -> NDArray[np.float32]:
        """float32 [users, n + 1]; items that the user never bought are not recommended."""
        weight = decayed(histories.age_days, self.decay_days)
        # An age at which exp gives 0 is still a purchase.
        weight = np.maximum(weight, np.finfo(np.float32).tiny)
        shape = (histories.users, histories.item_count + 1)
        summed = sparse.csr_matrix((weight, (histories.user_row, histories.item_index)), shape=shape).toarray()
        summed[:, 0] = 0
        return np.where(summed > 0, summed, NOT_RECOMMENDED).astype(np.float32)


def decayed(age_days: NDArray[np.floating], decay_days: float | None) -> NDArray[np.float32]:
    """exp(-age / decay_days), 1 for every age where `decay_days` is None; float32, shaped as `age_days`."""
    if decay_days is None:
        return np.ones(age_days.shape, dtype=np.float32)
    return np.asarray(np.exp(-age_days / decay_days), dtype=np.float32)
