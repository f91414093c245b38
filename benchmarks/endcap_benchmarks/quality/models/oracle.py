"""Oracle: knows what was bought; a harness that does not rank it at 1.0 is broken."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

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
