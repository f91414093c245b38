"""Several towers as one: embeddings side by side, so that an inner product is the mean of theirs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.algorithms.interactions import Interactions
from endcap_components.train_two_tower.fitted_tower import FittedTower


@dataclass(frozen=True)
class JoinedTowers:
    """Towers of the same items; the joint embeddings have unit length, as the index asks, and are as wide as all together."""

    members: Sequence[FittedTower]

    @property
    def item_embeddings(self) -> NDArray[np.float32]:
        """float32 [n + 1, members x dim], row 0 zeros."""
        return np.concatenate([member.item_embeddings for member in self.members], axis=1) * self._share

    def queries(self, histories: Interactions) -> NDArray[np.float32]:
        """float32 [histories.users, members x dim]."""
        return np.concatenate([member.queries(histories) for member in self.members], axis=1) * self._share

    @property
    def _share(self) -> np.float32:
        return np.float32(len(self.members) ** -0.5)
