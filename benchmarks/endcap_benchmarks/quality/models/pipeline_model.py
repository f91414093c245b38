"""The full pipeline among the harness's models: run on what a task lets models see, and what it recommends as lists of the task's users."""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.contracts.evaluation import Reliability
from endcap.contracts.tables import TABLES, arrow_schema
from endcap.contracts.training_plan import Timetable
from endcap.core.files import replacing_folder
from endcap.core.settings import RetrievalSettings
from endcap.dataset.layout import Dataset, open_dataset
from endcap.engine.ranking.value import usable_value
from endcap.evaluation.as_shown import SHOWN as SHOWN_STEP
from endcap.evaluation.as_shown import ShownSurface, home_surface
from endcap.evaluation.ranked_lists import RankedLists
from endcap.evaluation.user_items import UserItems, contains, pair_keys
from endcap.features.columns import HORIZON_DAYS
from endcap.features.snapshots import FeatureOptions
from endcap.training.planning.timetables import NO_SNAPSHOTS_DAYS, WEEKS
from endcap_benchmarks.quality.models.pipeline_run import SCORING, PipelineRun, RankedUsers, ServedChain
from endcap_benchmarks.quality.models.positioned_data import positioned_times, write_positioned_data
from endcap_benchmarks.quality.recommending import Recommended, RunContext, reliability
from endcap_benchmarks.quality.task import RankingTask, Truth

AFTER_HORIZON = timedelta(hours=6)
"""Data that ends just after the horizon puts the cut where it is wanted; nothing so late is truth."""
SPARE = 200
"""Candidates kept beyond a list's depth, for what caps and diversity pass over."""
ORDERED, SHOWN, TWO_TOWER = "full_pipeline", "full_pipeline_as_shown", "two_tower"
"""Lists of one run: the ranker's order, what the surface home makes of it, and its two-tower alone."""


def truncated_dataset(dataset_dir: Path, cut: datetime, out_dir: Path, *, promotions: bool) -> None:
    """A copy of a dataset that ends with the horizon after the cut; users and items are all kept.

    Args:
        dataset_dir: a canonical dataset.
        cut: start of the evaluation.
        out_dir: a folder that is there and empty.
        promotions: whether the copy has the dataset's promotions.
    """
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


def visit_times(dataset: Dataset, cut: datetime) -> Timetable:
    """How the pipeline cuts a dataset whose visits are judged from a midnight on: the visits of the week before it teach the ranker.

    What comes next is learned from whole sequences, which needs no snapshots.
    """
    judged = (dataset.last_event_at + timedelta(seconds=1)).date() - cut.date()
    return WEEKS.model_copy(
        update={
            "test_weeks": 0,
            "test_days": judged.days,
            "ranking_windows": 1,
            "first_snapshot_days": NO_SNAPSHOTS_DAYS,
            "grid_days": 1,
        }
    )


@dataclass(frozen=True)
class PipelineModel:
    """One list of a run of the pipeline.

    Attributes:
        lists: ORDERED, SHOWN or TWO_TOWER.
        promotions: whether the models may see what the shop will promote.
        ranker: hyperparameters of the ranker that replace the defaults.
        two_tower: the same of the two-tower.
    """

    lists: str
    promotions: bool = True
    ranker: Mapping[str, Any] = field(default_factory=dict)
    two_tower: Mapping[str, Any] = field(default_factory=dict)

    @property
    def settings(self) -> Mapping[str, Any]:
        return {"method": "full_pipeline", **asdict(self)}

    @property
    def code(self) -> Path | None:
        return Path(__file__)

    def recommend(self, task: RankingTask, context: RunContext) -> Recommended:
        """Train the pipeline, or take the run of another list of it, and make the lists.

        Where the task has no cut in time, what models may learn from is laid out in steps: `positioned_data`.

        Raises:
            DataRejected: the data is too short.
        """
        run, chain = self._chain(task, context)
        indices = _ItemIndices.of(task, chain)
        hidden = {name: indices.hidden(truth) for name, truth in task.truths.items()}
        depths = context.depth + SPARE + np.max([np.zeros(task.users)] + [each.counts for each in hidden.values() if each], axis=0)
        states = partial(chain.visitors, task.histories, task.items) if task.of_visits else partial(chain.people, task.user_ids)
        ranked = chain.ranked(states, depths.astype(np.int64), indices.of_task > 0)
        shown = {name: ranked if pairs is None else ranked.without(pairs) for name, pairs in hidden.items()}
        lists = {name: indices.lists(self._listed(each, chain, context.depth)) for name, each in shown.items()}
        first = next(iter(task.truths.values())).items
        return Recommended(
            lists,
            sum(seconds for step, seconds in run.seconds.items() if step != SCORING),
            run.seconds.get(SCORING, 0.0),
            reliability=_reliability(ranked, first, indices) if self.lists == ORDERED else None,
            notes={"seconds": run.seconds, "users_without_list": task.users - len(np.unique(ranked.pairs.user_row))},
        )

    def _listed(self, ranked: RankedUsers, chain: ServedChain, depth: int) -> RankedLists:
        """Lists in the run's item indices."""
        if self.lists == TWO_TOWER:
            return ranked.nearest.lists(depth)
        if self.lists == ORDERED:
            return ranked.ordered.lists(depth)
        home = home_surface({})
        surface = ShownSurface(home, chain.items, chain.embeddings, usable_value(home.value, chain.value, chain.objectives))
        return surface.lists(ranked.pairs, ranked.probabilities, depth)[SHOWN_STEP]

    def _chain(self, task: RankingTask, context: RunContext) -> tuple[PipelineRun, ServedChain]:
        """The trained pipeline; a run that another list of the same task and seed has left is taken."""
        asked = {**self.settings, "lists": None, "seed": context.seed}
        folder = context.shared_dir / f"pipeline-{hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:12]}"
        dataset = folder / "dataset"
        if task.cut is None:
            # What is in the cart is no right answer of these protocols, and their lists leave it out.
            run = PipelineRun(folder, context.seed, RetrievalSettings(left_in_cart_quota=0), self.ranker, self.two_tower)
            run.made(dataset, partial(_write, dataset, partial(write_positioned_data, task, context.dataset_dir, seed=context.seed)))
            times = positioned_times(open_dataset(dataset))
            run.train(FeatureOptions.of(times), times)
            return run, ServedChain(run, seen_to_the_end=True)
        run = PipelineRun(folder, context.seed, RetrievalSettings(), self.ranker, self.two_tower)
        if task.of_visits:
            # Whole: nothing from the cut on is learned from.
            run.made(dataset, partial(_write, dataset, partial(shutil.copytree, context.dataset_dir, dirs_exist_ok=True)))
            times = visit_times(open_dataset(dataset), task.cut)
            run.train(FeatureOptions.of(times), times)
            return run, ServedChain(run, seen_to_the_end=False)
        run.made(dataset, partial(_write, dataset, partial(truncated_dataset, context.dataset_dir, task.cut, promotions=self.promotions)))
        run.train(FeatureOptions(test_weeks=HORIZON_DAYS // 7, ranking_windows=3))
        return run, ServedChain(run, seen_to_the_end=False)


def _write(folder: Path, write: Callable[[Path], None]) -> None:
    with replacing_folder(folder) as aside:
        write(aside)


@dataclass(frozen=True)
class _ItemIndices:
    """A run's item indices and a task's, each int32 [items + 1] by the other; 0 where one does not have the item."""

    of_task: NDArray[np.int32]
    of_run: NDArray[np.int32]

    @classmethod
    def of(cls, task: RankingTask, chain: ServedChain) -> "_ItemIndices":
        return cls(chain.items.indices_in(task.items), task.items.indices_in(chain.items))

    def hidden(self, truth: Truth) -> UserItems | None:
        """What a truth hides, in the run's indices."""
        return None if truth.hidden is None else _renamed(truth.hidden, self.of_run)

    def lists(self, made: RankedLists) -> RankedLists:
        """A run's lists, in the task's indices."""
        return RankedLists(self.of_task[made.items])


def _renamed(pairs: UserItems, index: NDArray[np.int32]) -> UserItems:
    """Pairs in other indices; those without one are left out."""
    known = pairs.where(index[pairs.item_index] > 0)
    renamed = index[known.item_index]
    order = np.lexsort((renamed, known.user_row))
    return UserItems(known.user_row[order], renamed[order], pairs.users)


def _reliability(ranked: RankedUsers, truth: UserItems, indices: _ItemIndices) -> Reliability | None:
    """What the ranker says of purchases against what was bought, as long as it says probabilities."""
    said = ranked.probabilities.get("buy")
    if said is None or not len(said):
        return None
    happened = contains(_renamed(truth, indices.of_run).keys, pair_keys(ranked.pairs.user_row, ranked.pairs.item_index))
    return reliability(said.astype(np.float32), happened)
