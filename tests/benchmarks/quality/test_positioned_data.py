"""What a task lets models see, laid out in steps."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from endcap.contracts.event import EventType
from endcap.dataset.assembly import judge_dataset
from endcap.dataset.layout import Dataset, open_dataset
from endcap_benchmarks.quality.models.positioned_data import FIRST_DAY, TAUGHT_SHARE, positioned_times, write_positioned_data
from endcap_benchmarks.quality.protocols.holdout import holdout_task
from endcap_benchmarks.quality.protocols.leave_one_out import Part, leave_one_out_task
from endcap_benchmarks.quality.recorded_purchases import RecordedPurchases
from endcap_benchmarks.quality.task import RankingTask

DAY = timedelta(days=1)


def laid_out(task: RankingTask, recorded: RecordedPurchases, folder: Path) -> tuple[Dataset, pl.DataFrame]:
    """The dataset, and its events without the one that ends it."""
    folder.mkdir()
    write_positioned_data(task, recorded.dataset.path, folder, seed=1)
    dataset = open_dataset(folder)
    events = pl.read_parquet(dataset.table("events")).sort("user_id", "occurred_at", nulls_last=True)
    return dataset, events.filter(pl.col("event_type") != EventType.PAGE_VIEW.value)


@pytest.mark.parametrize("part", ["test", "validation"])
@pytest.mark.parametrize("refit", [False, True])
def test_the_judged_item_is_not_there_and_everything_before_it_is(
    sequences: RecordedPurchases, tmp_path: Path, part: Part, refit: bool
) -> None:
    task = leave_one_out_task(sequences, part, refit=refit)
    _, events = laid_out(task, sequences, tmp_path / "made")
    recorded = sequences.purchases.sort("user_id", maintain_order=True).group_by("user_id", maintain_order=True).agg("item_id")
    hidden = 1 if part == "test" else 2
    expected = {user: items[:-hidden] if len(items) > 2 else items for user, items in recorded.iter_rows()}
    found = dict(events.group_by("user_id", maintain_order=True).agg("item_id").iter_rows())
    assert found == expected


def test_the_cut_parts_what_is_learned_from_from_what_lists_know_besides(sequences: RecordedPurchases, tmp_path: Path) -> None:
    task = leave_one_out_task(sequences, "test")
    dataset, events = laid_out(task, sequences, tmp_path / "made")
    times = positioned_times(dataset)
    end = dataset.last_event_at + timedelta(seconds=1)
    assert (end - FIRST_DAY, times.test_days) == (2 * DAY, 1)
    cut = end - times.test_days * DAY
    learned = events.filter(pl.col("occurred_at") < cut).group_by("user_id").len().sort("user_id")
    lengths = dict(zip(task.learner_ids, np.diff(task.training.interactions.start), strict=True))
    assert dict(learned.iter_rows()) == lengths
    taught = events.filter(pl.col("occurred_at") >= cut - DAY, pl.col("occurred_at") < cut)
    assert len(taught) == taught["user_id"].n_unique() == int(sum(length > 1 for length in lengths.values()) * TAUGHT_SHARE)


def test_everybodys_last_step_is_a_day_before_the_end(sequences: RecordedPurchases, tmp_path: Path) -> None:
    dataset, events = laid_out(leave_one_out_task(sequences, "test", refit=True), sequences, tmp_path / "made")
    assert positioned_times(dataset).test_days == 0
    age = dataset.last_event_at - events.group_by("user_id").agg(pl.col("occurred_at").max())["occurred_at"]
    assert age.min() > timedelta(hours=23)  # type: ignore[operator]
    assert age.max() < timedelta(hours=25)  # type: ignore[operator]


def test_what_is_done_with_one_item_is_one_step(sets_with_carts: RecordedPurchases, tmp_path: Path) -> None:
    task = holdout_task(sets_with_carts, "test", [1, 2])
    dataset, events = laid_out(task, sets_with_carts, tmp_path / "made")
    days = events.group_by("user_id", "item_id").agg(pl.col("session_id").n_unique().alias("visits"), pl.len())
    assert days["len"].max() == 2
    assert days["visits"].max() == 1
    assert sum(tally.rejected for tally in judge_dataset(dataset, 0.0)) == 0
