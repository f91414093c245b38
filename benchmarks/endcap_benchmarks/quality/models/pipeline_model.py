"""The full pipeline among the harness's models: run up to a cut, and what it recommends as lists of the task's users and items."""

import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from endcap.contracts.evaluation import ALL, Reliability
from endcap.contracts.tables import TABLES, arrow_schema
from endcap.core.errors import InvalidInput
from endcap.core.settings import RetrievalSettings
from endcap.evaluation.ranked_lists import ScoredPairs
from endcap.evaluation.user_items import UserItems, contains, pair_keys
from endcap.features.columns import HORIZON_DAYS
from endcap_benchmarks.quality.recommending import Recommended, RunContext, reliability
from endcap_benchmarks.quality.task import RankingTask

AFTER_HORIZON = timedelta(hours=6)
"""Data that ends just after the horizon puts the cut where it is wanted; nothing so late is truth."""
USERS_MAX = 1_000_000


@dataclass(frozen=True)
class FullPipelineScores:
    """What one run of the pipeline recommends.

    Attributes:
        scores: `full_pipeline` and `two_tower` by name; row r of the pairs is user_ids[r], item indices are places in order of item_id.
        user_ids: users with purchases of eligible items on both sides of the cut.
        seconds: by step.
    """

    scores: dict[str, ScoredPairs]
    user_ids: Sequence[str]
    seconds: dict[str, float] = field(default_factory=dict)


def full_pipeline_scores(
    dataset_dir: Path,
    cut: datetime,
    work_dir: Path,
    *,
    promotions: bool = True,
    seed: int,
    ranker: dict[str, Any] | None = None,
    two_tower: dict[str, Any] | None = None,
) -> FullPipelineScores:
    """Train everything on what happened before the cut, and score the users who bought on both sides of it.

    Args:
        dataset_dir: a canonical dataset.
        cut: Monday 00:00 UTC.
        work_dir: artifacts go here; steps whose artifact is there are not run again.
        promotions: whether the models may see the dataset's promotions.
        seed: of everything random.
        ranker: hyperparameters of the ranker that replace the defaults.
        two_tower: the same of the two-tower.

    Raises:
        DataRejected: the dataset cannot be used, or is too short.
    """
    from endcap.training.moment_tables import TablesArtifact
    from endcap.training.scoring import RankerArtifact, TwoTowerArtifact
    from endcap.training.training_set import TrainingSet
    from endcap_components.evaluate.evaluated_users import EvaluatedUsers
    from endcap_components.evaluate.model_scores import Queries, ranked_candidates

    run = _Run(dataset_dir, work_dir, cut, promotions, seed)
    run.build(ranker or {}, two_tower or {})
    training = TrainingSet(work_dir / "training")
    with run.timed("scores"):
        users = EvaluatedUsers.of(training, USERS_MAX, seed)
        queries = Queries.of(users, training, TwoTowerArtifact(work_dir / "two_tower"))
        tables, rank = TablesArtifact(work_dir / "tables"), RankerArtifact(work_dir / "ranker").signature
        ranked = ranked_candidates(users, queries, training=training, tables=tables, rank=rank, quotas=RetrievalSettings())
    named = {"two_tower": queries.nearest(users), "full_pipeline": ranked.scores}
    return FullPipelineScores(named, users.user_ids, run.seconds)


def truncated_dataset(dataset_dir: Path, out_dir: Path, cut: datetime, *, promotions: bool) -> None:
    """A copy of a dataset that ends with the horizon after the cut; users and items are all kept.

    Args:
        dataset_dir: a canonical dataset.
        out_dir: the folder to make.
        cut: start of the evaluation.
        promotions: whether the copy has the dataset's promotions.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    events = pl.scan_parquet(dataset_dir / "events.parquet").filter(
        pl.col("occurred_at") < cut + timedelta(days=HORIZON_DAYS) + AFTER_HORIZON
    )
    import pyarrow.parquet as pq

    from endcap.dataset.assembly import with_all_columns  # its checks take a second to import, and every run imports this module

    rows = with_all_columns(events.collect().to_arrow(), "events")
    pq.write_table(rows.cast(arrow_schema(TABLES["events"])), out_dir / "events.parquet")
    names = ["items.parquet", "users.parquet", "dataset.json", *(["promotions.parquet"] if promotions else [])]
    for name in names:
        if (dataset_dir / name).is_file():
            shutil.copyfile(dataset_dir / name, out_dir / name)


@dataclass(frozen=True)
class _Run:
    """One run's place and clockings."""

    dataset_dir: Path
    work_dir: Path
    cut: datetime
    promotions: bool
    seed: int
    seconds: dict[str, float] = field(default_factory=dict)

    def build(self, ranker: dict[str, Any], two_tower: dict[str, Any]) -> None:
        """The steps of the training pipeline in its order, features from the folder instead of the store."""
        from endcap.features.snapshots import FeatureOptions
        from endcap_components.build_features.step import build_features_step
        from endcap_components.build_tables.step import build_tables
        from endcap_components.build_training_set.feature_rows import FolderRows
        from endcap_components.build_training_set.step import build_training_set
        from endcap_components.train_ranker.hyperparameters import RankerHyperparameters
        from endcap_components.train_ranker.step import train_ranker
        from endcap_components.train_two_tower.hyperparameters import TwoTowerHyperparameters
        from endcap_components.train_two_tower.step import train_two_tower

        place = self.work_dir
        dataset, features, training = place / "dataset", place / "features", place / "training"
        tables, encoder, ranked = place / "tables", place / "two_tower", place / "ranker"
        weeks = HORIZON_DAYS // 7
        quotas = RetrievalSettings()
        with self.made(dataset) as missing:
            if missing:
                truncated_dataset(self.dataset_dir, dataset, self.cut, promotions=self.promotions)
        with self.made(features) as missing:
            if missing:
                build_features_step(dataset, features, FeatureOptions(test_weeks=weeks, ranking_windows=3))
        with self.made(training) as missing:
            if missing:
                build_training_set(dataset, features, training, user_rows=FolderRows(features))
        with self.made(tables) as missing:
            if missing:
                build_tables(training, tables)
        with self.made(encoder) as missing:
            if missing:
                train_two_tower(training, encoder, TwoTowerHyperparameters.of(two_tower), self.seed)
        with self.made(ranked) as missing:
            if missing:
                parameters = RankerHyperparameters.of(ranker)
                train_ranker(training, tables, encoder, ranked, parameters=parameters, quotas=quotas, seed=self.seed)

    @contextmanager
    def made(self, folder: Path) -> Iterator[bool]:
        """Whether an artifact is missing; what making it took is kept."""
        with self.timed(folder.name):
            yield not folder.exists()

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - started, 1)


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
        return Path(__file__)

    def recommend(self, task: RankingTask, context: RunContext) -> Recommended:
        """Train the pipeline on the dataset up to the cut.

        Raises:
            InvalidInput: the task has no cut.
        """
        if task.cut is None:
            raise InvalidInput("the full pipeline learns from moments in time", field="--protocol", fix="use --protocol temporal")
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
