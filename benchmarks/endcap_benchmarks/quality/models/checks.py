"""What says whether the harness is sound: an oracle that knows what was bought, and random order with a hit rate near k / items."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from endcap.algorithms.algorithm import TrainingData
from endcap.algorithms.interactions import Interactions
from endcap.evaluation.ranked_lists import ScoredPairs
from endcap_benchmarks.quality.recommending import Recommended, RunContext
from endcap_benchmarks.quality.task import RankingTask


class Oracle:
    """Recommends each truth to itself."""

    @property
    def settings(self) -> Mapping[str, Any]:
        return {"method": "oracle"}

    @property
    def code(self) -> Path | None:
        return Path(__file__)

    def recommend(self, task: RankingTask, context: RunContext) -> Recommended:
        started = time.perf_counter()
        lists = {
            name: ScoredPairs(truth.items, np.ones(len(truth.items.item_index))).lists(context.depth) for name, truth in task.truths.items()
        }
        return Recommended(lists, 0.0, time.perf_counter() - started)


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
