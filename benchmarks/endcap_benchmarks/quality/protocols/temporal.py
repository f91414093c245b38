"""Temporal: learn from what happened before a cut, be judged by the whole weeks after it (Meng et al., RecSys 2020, on why)."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import polars as pl

from endcap.algorithms.algorithm import TrainingData
from endcap.algorithms.interactions import Interactions
from endcap.contracts.evaluation import ALL, NEW
from endcap.contracts.moment import DAY_S
from endcap.core.errors import DataRejected, InvalidInput
from endcap.features.net_purchases import standing
from endcap_benchmarks.quality.recorded_purchases import RecordedPurchases
from endcap_benchmarks.quality.task import RankingTask, TaskCatalogue, Truth, buyer_share, pairs_of, user_segments


def last_cuts(recorded: RecordedPurchases, windows: int, weeks: int) -> list[datetime]:
    """Cuts of the last `windows` windows, oldest first; the windows follow each other and end with the last whole day of the data."""
    end = recorded.last_at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return [end - timedelta(weeks=weeks * back) for back in range(windows, 0, -1)]


def temporal_task(recorded: RecordedPurchases, cut: datetime, *, weeks: int, min_buyers: int) -> RankingTask:
    """The task of one cut.

    Two truths: everything that was bought after the cut, and only what the user had never bought before, in which case lists leave out
    what had been bought.

    Args:
        recorded: the dataset, whose times must be real.
        cut: nothing from here on is learned from.
        weeks: how long the truth goes on.
        min_buyers: items that fewer users bought before the cut are neither recommended nor truth, nor learned from.

    Raises:
        InvalidInput: the dataset knows no times, or the cut leaves no whole window.
        DataRejected: nobody bought on both sides of the cut.
    """
    until = cut + timedelta(weeks=weeks)
    _require_window(recorded, cut, until)
    before = recorded.purchases.filter(pl.col("at") < cut, standing(pl.lit(cut)))
    after = recorded.purchases.filter(pl.col("at") >= cut, pl.col("at") < until, standing(pl.lit(until)))
    known = before.group_by("item_id").agg(pl.col("user_id").n_unique().alias("buyers")).filter(pl.col("buyers") >= min_buyers)
    catalogue = TaskCatalogue.of(recorded.items.join(known, on="item_id", how="semi").sort("item_id"))
    age = (pl.lit(cut) - pl.col("at")).dt.total_seconds() / DAY_S
    before, after = catalogue.coded(before).with_columns(age.alias("age_days")), catalogue.coded(after)
    everybody = before["user_id"].unique().sort().to_list()
    judged = before.join(after, on="user_id", how="semi")["user_id"].unique().sort().to_list()
    if not judged:
        raise DataRejected(
            "nobody bought on both sides of the cut",
            field="--cut",
            value=str(cut),
            fix="choose another cut, more --weeks or fewer --min-buyers",
        )
    training = Interactions.of(before, everybody, len(catalogue.rows))
    truth, bought = pairs_of(after, judged), pairs_of(before, judged)
    return RankingTask(
        name=f"{cut:%Y-%m-%d}",
        items=catalogue.table,
        training=TrainingData(training, catalogue.table, catalogue.attributes),
        histories=Interactions.of(before, judged, len(catalogue.rows)),
        user_ids=judged,
        truths={ALL: Truth(truth, None), NEW: Truth(truth.without(bought), bought)},
        bought=bought,
        buyer_share=buyer_share(training),
        segments=user_segments(before, judged, catalogue, knows_times=recorded.knows_times),
        cut=cut,
    )


def _require_window(recorded: RecordedPurchases, cut: datetime, until: datetime) -> None:
    if not recorded.knows_times:
        raise InvalidInput(
            "the times of this dataset carry an order only", field="--protocol", value="temporal", fix="use --protocol leave-one-out"
        )
    if until > recorded.last_at + timedelta(days=1) or cut <= recorded.dataset.first_event_at:
        raise InvalidInput(
            f"the data ends at {recorded.last_at:%Y-%m-%d %H:%M}: no whole window from here to {until:%Y-%m-%d}",
            field="--cut",
            value=f"{cut:%Y-%m-%d}",
            fix="choose an earlier cut, or fewer --weeks",
        )


def temporal_tasks(recorded: RecordedPurchases, cuts: Sequence[datetime], *, weeks: int, min_buyers: int) -> list[RankingTask]:
    """A task a cut."""
    return [temporal_task(recorded, cut, weeks=weeks, min_buyers=min_buyers) for cut in cuts]
