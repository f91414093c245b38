"""A task without a cut in time as a dataset of steps, a day apart: what the pipeline learns from, and what it is shown beyond that.

| day | who has a step there |
| --- | --- |
| before the first | everybody: all they did, but for the last step of the people drawn |
| the first | TAUGHT people drawn: the ranker learns from it |
| from the second | what lists know of people beside what was learned from: in leave-one-out the item before the judged one |

The data ends with the midnight after the last of these days, at which people ask for lists.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
from numpy.typing import NDArray

from endcap.algorithms.interactions import Interactions
from endcap.contracts.event import EventType
from endcap.contracts.signals import PURCHASE_CODE, event_type_of
from endcap.contracts.tables import TABLES, arrow_schema
from endcap.contracts.training_plan import Timetable
from endcap.dataset.layout import ORDER_ONLY, Dataset, open_dataset, write_description
from endcap.dataset.sources.event_ids import event_uuids
from endcap.training.planning.timetables import STEPS
from endcap_benchmarks.quality.task import RankingTask

FIRST_DAY = datetime(2000, 12, 30, tzinfo=UTC)
TAUGHT = 10_000
TAUGHT_SHARE = 1 / 3
"""Of the people who have two steps: what the ranker learns from is kept from the towers."""
SECOND, LATE = timedelta(seconds=1), timedelta(minutes=10)
WITHIN_STEP = timedelta(seconds=1)
"""Between what is done with one item in a step."""


def positioned_times(dataset: Dataset) -> Timetable:
    """How the pipeline cuts such a dataset: the cut is the moment up to which things are learned from."""
    return STEPS.model_copy(update={"test_days": (dataset.last_event_at - FIRST_DAY).days})


def write_positioned_data(task: RankingTask, dataset_dir: Path, out_dir: Path, seed: int) -> None:
    """Write what a task lets models see.

    Args:
        task: of a protocol without a cut in time, which says who the learners are.
        dataset_dir: the canonical dataset that it was made from, for the items.
        out_dir: a folder that is there and empty.
        seed: of the people drawn.
    """
    rng = np.random.default_rng(seed)
    steps = pl.concat([_learned(task, rng), _shown(task)])
    days_shown = max(int(steps["day"].cast(pl.Int64).max() or 0), 0)  # type: ignore[arg-type]
    source = open_dataset(dataset_dir)
    ids = pl.Series(["", *task.items.ids.names])
    tables = {
        "events": _events(steps, ids, FIRST_DAY + timedelta(days=days_shown + 1) - SECOND),
        "items": pl.read_parquet(source.table("items")).filter(pl.col("item_id").is_in(ids[1:].implode())),
        "users": steps.select("user_id", pl.lit("{}").alias("attributes")).unique("user_id", maintain_order=True),
    }
    from endcap.dataset.assembly import with_all_columns  # its checks take a second to import, and every run imports this module

    for name, rows in tables.items():
        pq.write_table(with_all_columns(rows.to_arrow(), name).cast(arrow_schema(TABLES[name])), out_dir / f"{name}.parquet")
    moments = tables["events"]["occurred_at"].to_list()
    dataset = Dataset(
        path=out_dir,
        source=ORDER_ONLY,
        currency=source.currency,
        fingerprint=source.fingerprint,
        rows={name: len(rows) for name, rows in tables.items()},
        rejected={},
        first_event_at=min(moments),
        last_event_at=max(moments),
    )
    write_description(dataset)


def _learned(task: RankingTask, rng: np.random.Generator) -> pl.DataFrame:
    """Columns user_id, item_index, signal, day (from FIRST_DAY) and at (UTC): what is learned from, a row a step."""
    learned = task.training.interactions
    step, steps_of = _steps_of(learned)
    several = np.flatnonzero(steps_of > 1)
    drawn = rng.choice(several, min(TAUGHT, int(len(several) * TAUGHT_SHARE)), replace=False)
    end = np.full(learned.users, -1)
    end[drawn] = 0
    day = end[learned.user_row] - (steps_of[learned.user_row] - 1 - step)
    # Steps of the people drawn are just after midnight, those of others just before the next one: everybody's last step is a day before
    # the moment from which they are looked at, and the others' lies before the day that teaches the ranker.
    is_late = ~np.isin(learned.user_row, drawn)
    return _rows(task.learner_ids, learned, np.arange(len(learned)), day, is_late)


def _steps_of(done: Interactions) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of each interaction its step, and how many steps each user has: what is done with one item in a row is one step."""
    begins = np.ones(len(done), dtype=np.int64)
    begins[1:] = (np.diff(done.item_index) != 0) | (np.diff(done.user_row) != 0)
    count = np.cumsum(begins)
    first = count[np.minimum(done.start[:-1], max(len(done) - 1, 0))]
    return count - first[done.user_row], np.bincount(done.user_row, begins, done.users).astype(np.int64)


def _shown(task: RankingTask) -> pl.DataFrame:
    """The same of what lists know of people beyond that, from the day after the first on."""
    histories, learned = task.histories, task.training.interactions
    row_of = {user_id: row for row, user_id in enumerate(task.learner_ids)}
    rows = np.array([row_of.get(user_id, -1) for user_id in task.user_ids], dtype=np.int64)
    known = np.where(rows >= 0, np.diff(learned.start)[rows], 0)
    beyond = np.arange(len(histories)) - histories.start[histories.user_row] - known[histories.user_row]
    later = np.flatnonzero(beyond >= 0)
    return _rows(task.user_ids, histories, later, beyond[later] + 1, np.zeros(len(later), dtype=np.bool_))


def _rows(
    user_ids: Sequence[str], done: Interactions, places: NDArray[np.intp], day: NDArray[np.int64], is_late: NDArray[np.bool_]
) -> pl.DataFrame:
    signal = np.full(len(done), PURCHASE_CODE, dtype=np.uint8) if done.signal is None else done.signal
    users = pl.Series(list(user_ids), dtype=pl.String)
    steps = pl.DataFrame(
        {
            "user_id": users.gather(done.user_row[places]),
            "item_index": done.item_index[places],
            "signal": signal[places],
            "day": day.astype(np.int64),
            "is_late": is_late,
        }
    )
    of_day = pl.when("is_late").then(timedelta(days=1) - LATE).otherwise(SECOND)
    within = pl.int_range(pl.len()).over("user_id", "day") * WITHIN_STEP
    return steps.with_columns((pl.lit(FIRST_DAY).dt.cast_time_unit("us") + pl.col("day") * timedelta(days=1) + of_day + within).alias("at"))


def _events(steps: pl.DataFrame, ids: pl.Series, last: datetime) -> pl.DataFrame:
    """The steps as events, and a page view of nobody that ends the data."""
    visits = steps.select(pl.format("{}#{}", "user_id", "day")).to_series()
    events = steps.select(pl.format("{}#{}", visits, pl.int_range(pl.len()).over("user_id", "day"))).to_series()
    kinds = {code: event_type_of(code) for code in steps["signal"].unique().to_list()}
    happened = steps.select(
        event_uuids(events).alias("event_id"),
        pl.col("signal").replace_strict(kinds, return_dtype=pl.String).alias("event_type"),
        pl.col("at").alias("occurred_at"),
        "user_id",
        visits.alias("session_id"),
        ids.gather(steps["item_index"]).alias("item_id"),
        pl.when(pl.col("signal") == PURCHASE_CODE).then(1.0).alias("quantity"),
    )
    end = pl.DataFrame(
        {
            "event_id": event_uuids(pl.Series(["end"])),
            "event_type": [EventType.PAGE_VIEW.value],
            "occurred_at": [last],
            "session_id": ["end"],
        }
    ).cast({"occurred_at": happened.schema["occurred_at"]})
    given = {"schema_version": pl.lit(1, dtype=pl.Int64), "received_at": pl.col("occurred_at"), "consent": pl.lit(True)}
    return pl.concat([happened, end], how="diagonal").with_columns(consent_analytics=pl.lit(True), **given)
