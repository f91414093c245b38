"""A blend for what comes next in a visit: the visit's own items, EASE, item-to-item and similar visits, weighed by visits held out.

People come back to what they saw minutes ago: where a quarter of the next views are of an item of the same visit, lists without these miss
them all.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from endcap.algorithms.algorithm import Algorithm, TrainingData
from endcap.algorithms.ease import Ease
from endcap.algorithms.interactions import Interactions
from endcap.algorithms.item_to_item import ItemToItemRecent
from endcap.algorithms.user_neighbours import UserNeighbours
from endcap.algorithms.weights import default_decay_days, recency_weights
from endcap.training.held_out import hold_out_last
from endcap_benchmarks.quality.models.blend import FittedBlend, damped_blend

VISITS_MAX = 4000
"""Visits held out at most."""


class OwnRecent(BaseModel):
    """The visit's own items, the newest first; says nothing of any other item."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def fit(self, data: TrainingData, seed: int) -> "OwnRecentScores":  # noqa: ARG002 - nothing is random
        """Nothing is learned but how fast an event loses its say."""
        return OwnRecentScores(default_decay_days(data.interactions))


@dataclass(frozen=True)
class OwnRecentScores:
    """Ages count from the visit's newest event."""

    decay_days: float

    def scores(self, histories: Interactions) -> NDArray[np.float32]:
        """float32 [visits, n + 1]; 0 for items that the visit does not have."""
        return np.asarray(recency_weights(histories, self.decay_days).toarray(), dtype=np.float32)


class VisitBlend(BaseModel):
    """A sum of scores, weighted by a conditional logit of the last events of visits held out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    neighbours: int = Field(default=200, ge=1, description="Similar visits that count.")

    def fit(self, data: TrainingData, seed: int) -> FittedBlend:
        """Learn; nothing outside `data` is looked at."""
        visits = min(VISITS_MAX, data.interactions.users // 2)
        early, held_out = hold_out_last(data.interactions, visits, np.random.default_rng(seed))
        algorithms: list[Algorithm] = [OwnRecent(), Ease(), ItemToItemRecent(), UserNeighbours(neighbours=self.neighbours)]
        return damped_blend(algorithms, data, early, held_out, seed, hides_history=False)


ALGORITHMS: dict[str, Callable[[], VisitBlend]] = {"visit_blend": VisitBlend}
"""The models that the harness knows by name."""
