"""Popular and recent popular: what is bought most, ever or of late; the same for everybody."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from endcap.algorithms.algorithm import NOT_RECOMMENDED, TrainingData
from endcap.algorithms.interactions import Interactions


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


class Popular(BaseModel):
    """Items by all their purchases, the same for everybody."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def fit(self, data: TrainingData, seed: int) -> PopularityScores:  # noqa: ARG002 - nothing is random
        """Count; `seed` changes nothing."""
        return PopularityScores.of(data.interactions.item_index, data.interactions.item_count)


class RecentPopular(BaseModel):
    """Items by their purchases of the last days, the same for everybody."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    days: float = Field(default=28.0, gt=0, description="Purchases of so many days count; steps where times are unknown.")

    def fit(self, data: TrainingData, seed: int) -> PopularityScores:  # noqa: ARG002 - nothing is random
        """Count; `seed` changes nothing."""
        recent = data.interactions.age_days <= self.days
        return PopularityScores.of(data.interactions.item_index[recent], data.interactions.item_count)
