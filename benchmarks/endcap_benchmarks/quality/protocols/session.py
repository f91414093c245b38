"""Session: what comes next in a visit, after each of its events; visits of the last days are the test (Ludewig and Jannach, UMUAI 2018).

A visit is to models what a user is in the other protocols. Lists may hold what the visit has had, because people come back to items, and
what nobody saw before the test is a target like any other: `RankingTask` says what share could be known at all.
"""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from endcap.algorithms.algorithm import TrainingData
from endcap.algorithms.interactions import Interactions
from endcap.contracts.moment import DAY_S
from endcap.core.errors import DataRejected
from endcap.evaluation.evaluate_lists import large_enough
from endcap.evaluation.user_items import UserItems
from endcap_benchmarks.quality.protocols.leave_one_out import Part
from endcap_benchmarks.quality.recorded_signals import RecordedSignals, signal_name
from endcap_benchmarks.quality.task import RankingTask, TaskCatalogue, Truth, buyer_share, pairs_of

NEXT, LATER = "next event", "later events"
EVENTS_MIN = 2
"""Shorter visits teach nothing of what comes next, and cannot be judged."""
HISTORY_MAX = 200
"""Newest events of a visit that models are shown."""


def session_task(recorded: RecordedSignals, part: Part, codes: Collection[int], *, days: int) -> RankingTask:
    """The task of the last days' visits.

    A row of the task is a visit up to one of its events; the truths are the item of the next event, the items of all later ones, and the
    next event's item where that event is of one kind, by kind.

    Args:
        recorded: the dataset, whose times must be real.
        part: `test` judges by visits that begin in the last `days`, `validation` by those of as many days before, without the test.
        codes: of the signals that visits consist of.
        days: how long the judged time is.

    Raises:
        DataRejected: there are no visits of two events on both sides of the cut.
    """
    catalogue = TaskCatalogue.of(recorded.items)
    events = _visits(catalogue.coded(recorded.signals.filter(pl.col("signal").is_in(list(codes)))))
    until = _end(events) - (timedelta(days=days) if part == "validation" else timedelta(0))
    cut = until - timedelta(days=days)
    events = events.filter(pl.col("began") < until)
    age = ((pl.col("at").max() - pl.col("at")).dt.total_microseconds() / (DAY_S * 1e6)).alias("age_days")
    learned = events.with_columns(age).filter(pl.col("began") < cut, pl.col("at") < cut).drop("signal")
    judged = events.with_columns(age).filter(pl.col("began") >= cut)
    if learned.is_empty() or judged.is_empty():
        raise DataRejected(
            f"no visits of {EVENTS_MIN} events on both sides of {cut:%Y-%m-%d}",
            field="--days",
            value=days,
            fix="name fewer days, or import events with the visits' ids in session_id",
        )
    training = Interactions.of(learned, learned["user_id"].unique(maintain_order=True).to_list(), len(catalogue.rows))
    asked = judged.filter(pl.col("step") > 0).with_row_index("row")
    row_ids = asked["row"].cast(pl.String).to_list()
    histories = Interactions.of(_before(judged, asked), row_ids, len(catalogue.rows))
    return RankingTask(
        name=f"{part}, {days} days",
        items=catalogue.table,
        training=TrainingData(training, catalogue.table, catalogue.attributes),
        histories=histories,
        user_ids=asked["user_id"].to_list(),
        truths=_truths(judged, asked),
        bought=UserItems.of(histories),
        buyer_share=buyer_share(training),
        segments=large_enough({f"after {name}": rows for name, rows in _lengths(asked["step"].to_numpy()).items()}),
        cut=cut,
        of_visits=True,
    )


def _end(visits: pl.DataFrame) -> datetime:
    """The midnight after the last visit began: the end of the judged time."""
    last = visits["began"].max()
    if not isinstance(last, datetime):
        raise DataRejected(f"no visits of {EVENTS_MIN} events", field="--protocol", value="session", fix="import events with a session_id")
    return last.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def _visits(events: pl.DataFrame) -> pl.DataFrame:
    """Events of visits of two or more, a visit's together and in order; user_id is the visit's, with step (from 0) and began."""
    return (
        events.with_columns(pl.col("session_id").alias("user_id"))
        .filter(pl.len().over("user_id") >= EVENTS_MIN)
        .sort("user_id", "at", maintain_order=True)
        .with_columns(pl.int_range(pl.len()).over("user_id").alias("step"), pl.col("at").min().over("user_id").alias("began"))
    )


def _before(judged: pl.DataFrame, asked: pl.DataFrame) -> pl.DataFrame:
    """The newest events before each row's own, by row, seen from the newest of them; user_id is the row's number."""
    until = asked.select("user_id", "row", pl.col("step").alias("asked"))
    earlier = judged.join(until, on="user_id").filter(pl.col("step") < pl.col("asked"), pl.col("step") >= pl.col("asked") - HISTORY_MAX)
    age = (pl.col("age_days") - pl.col("age_days").min().over("row")).alias("age_days")
    return earlier.select(pl.col("row").cast(pl.String).alias("user_id"), "item_index", age, "row", "step").sort("row", "step")


def _truths(judged: pl.DataFrame, asked: pl.DataFrame) -> dict[str, Truth]:
    rows = asked["row"].cast(pl.String).to_list()
    following = asked.select(pl.col("row").cast(pl.String).alias("user_id"), "item_index", "signal")
    until = asked.select("user_id", "row", pl.col("step").alias("asked"))
    later = judged.join(until, on="user_id").filter(pl.col("step") >= pl.col("asked"))
    later = later.select(pl.col("row").cast(pl.String).alias("user_id"), "item_index")
    truths = {NEXT: Truth(pairs_of(following, rows), None), LATER: Truth(pairs_of(later, rows), None)}
    kinds = sorted(asked["signal"].unique().to_list())
    if len(kinds) > 1:
        truths |= {
            f"next of {signal_name(kind)}": Truth(pairs_of(following.filter(pl.col("signal") == kind), rows), None) for kind in kinds
        }
    return truths


def _lengths(events: np.ndarray) -> dict[str, np.ndarray]:
    return {"1 event": events == 1, "2 events": events == 2, "3 to 5 events": (events > 2) & (events < 6), "6 or more events": events > 5}
