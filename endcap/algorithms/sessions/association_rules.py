"""Association rules of two items: how often a visit of the newest item holds another (Agrawal et al., 1993; Ludewig and Jannach, 2018)."""

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from endcap.algorithms.algorithm import TrainingData
from endcap.algorithms.co_occurrence import neighbour_table
from endcap.algorithms.sessions.last_item import LastItemScores


class AssociationRules(BaseModel):
    """Rules from the newest item to another, by their confidence: the share of its visits that hold the other too."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    neighbours: int = Field(default=200, ge=1, description="Rules kept for each item.")

    def fit(self, data: TrainingData, seed: int) -> LastItemScores:  # noqa: ARG002 - nothing is random
        """Count; `seed` changes nothing."""
        return LastItemScores(neighbour_table(data.interactions, _confidence, self.neighbours))


def _confidence(together: NDArray[np.float32], of_one: float, of_other: NDArray[np.float32]) -> NDArray[np.float32]:  # noqa: ARG001 - a rule has a direction
    return np.asarray(together / np.float32(of_one), dtype=np.float32)
