"""Random order: what any model has to be better than; its hit rate is near k / items."""

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from endcap.algorithms.algorithm import TrainingData
from endcap.algorithms.interactions import Interactions


class RandomOrder(BaseModel):
    """A new random order of all items for everybody."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def fit(self, data: TrainingData, seed: int) -> "RandomScores":  # noqa: ARG002 - nothing is learned
        return RandomScores(np.random.default_rng(seed))


class RandomScores:
    """Draws from one stream, block after block."""

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random

    def scores(self, histories: Interactions) -> NDArray[np.float32]:
        return self._random.random((histories.users, histories.item_count + 1), dtype=np.float32)
