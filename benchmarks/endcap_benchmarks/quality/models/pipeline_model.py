"""The full pipeline among the harness's models: what it recommends at a cut, as lists of the task's users and items."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from endcap.contracts.evaluation import ALL, Reliability
from endcap.core.errors import InvalidInput
from endcap.evaluation.purchase_log import UserItems, contains, pair_keys
from endcap.evaluation.ranked_lists import ScoredPairs
from endcap_benchmarks.quality.recommending import Recommended, RunContext, reliability
from endcap_benchmarks.quality.task import RankingTask

SCORING_STEP = "scores"


@dataclass(frozen=True)
class PipelineModel:
    """One list of the pipeline's run: of the whole (`full_pipeline`) or of its two-tower alone.

    Attributes:
        scores: name among the run's scores.
        promotions: whether the models may see what the shop will promote.
    """

    scores: str
    promotions: bool = True

    @property
    def settings(self) -> Mapping[str, Any]:
        return {"method": "full_pipeline", "scores": self.scores, "promotions": self.promotions}

    @property
    def code(self) -> Path | None:
        return Path(__file__).with_name("full_pipeline.py")

    def recommend(self, task: RankingTask, context: RunContext) -> Recommended:
        """Train the pipeline on the dataset up to the cut.

        Raises:
            InvalidInput: the task has no cut.
        """
        if task.cut is None:
            raise InvalidInput("the full pipeline learns from moments in time", field="--protocol", fix="use --protocol temporal")
        from endcap_benchmarks.quality.models.full_pipeline import full_pipeline_scores

        run = full_pipeline_scores(
            context.dataset_dir, task.cut, context.work_dir / "pipeline", promotions=self.promotions, seed=context.seed
        )
        scored = _of_task(run.scores[self.scores], run.user_ids, task, context.dataset_dir)
        lists = {
            name: (scored if truth.hidden is None else scored.new_to_user(truth.hidden)).lists(context.depth)
            for name, truth in task.truths.items()
        }
        fit_s = sum(seconds for step, seconds in run.seconds.items() if step != SCORING_STEP)
        unknown = len(set(task.user_ids) - set(run.user_ids))
        return Recommended(
            lists,
            fit_s,
            run.seconds.get(SCORING_STEP, 0.0),
            reliability=_reliability(scored, task),
            notes={"seconds": run.seconds, "users_without_list": unknown},
        )


def _reliability(scored: ScoredPairs, task: RankingTask) -> Reliability | None:
    """Scores against what was bought, as long as they are probabilities."""
    if not len(scored.score) or scored.score.min() < 0 or scored.score.max() > 1:
        return None
    happened = contains(task.truths[ALL].items.keys, pair_keys(scored.pairs.user_row, scored.pairs.item_index))
    return reliability(scored.score.astype(np.float32), happened)


def _of_task(scored: ScoredPairs, user_ids: Any, task: RankingTask, dataset_dir: Path) -> ScoredPairs:
    """The pairs by the task's rows and indices; users and items that the task lacks are left out."""
    all_items = pl.read_parquet(dataset_dir / "items.parquet", columns=["item_id"])["item_id"].sort()
    index = np.concatenate([[0], task.items.ids.codes(all_items)]).astype(np.int32)[scored.pairs.item_index]
    place = {user_id: row for row, user_id in enumerate(task.user_ids)}
    row = np.array([place.get(user_id, -1) for user_id in user_ids], dtype=np.int64)[scored.pairs.user_row]
    known = (index > 0) & (row >= 0)
    return ScoredPairs(UserItems(row[known], index[known], task.users), scored.score[known])
