"""Holdout: the purchases that a data set holds out itself are the test; validation is one more purchase of everybody, taken out likewise.

Lists leave out what the person bought or put into the cart, whether or not models learn from carts: figures with and without them are of
the same lists' places.
"""

from collections.abc import Collection

import polars as pl

from endcap.algorithms.algorithm import TrainingData
from endcap.algorithms.interactions import Interactions
from endcap.contracts.moment import DAY_S
from endcap.contracts.signals import PURCHASE_CODE, Signals
from endcap.core.errors import DataRejected
from endcap.dataset.holdout import read_holdout
from endcap_benchmarks.quality.protocols.leave_one_out import Part
from endcap_benchmarks.quality.recorded_purchases import RecordedPurchases
from endcap_benchmarks.quality.recorded_signals import read_signals, signal_name
from endcap_benchmarks.quality.task import RankingTask, TaskCatalogue, Truth, buyer_share, pairs_of, user_segments

HELD_OUT = "purchase held out"
_PAIR = ["user_id", "item_id"]


def holdout_task(recorded: RecordedPurchases, part: Part, codes: Collection[int]) -> RankingTask:
    """The task of what is held out.

    Args:
        recorded: the dataset.
        part: `test` judges by the dataset's own holdout, `validation` by the last purchase of everybody with two, which is then not learned
            from; where the dataset knows no order, that is any one.
        codes: of the signals that models learn from; what one counts beside a purchase is the default of `Signals`.

    Raises:
        DataRejected: the dataset holds nothing out, or nobody can be judged.
    """
    held_out = read_holdout(recorded.dataset)
    happened = read_signals(recorded.dataset).filter(pl.col("user_id").is_not_null())
    if part == "validation":
        held_out = _last_purchases(happened)
        happened = happened.join(held_out, on=_PAIR, how="anti", maintain_order="left")
    catalogue = TaskCatalogue.of(recorded.items)
    happened = catalogue.coded(_aged(happened, knows_order=recorded.dataset.knows_order))
    learned = _weighed(happened.filter(pl.col("signal").is_in(list(codes))))
    judged = held_out.join(happened, on="user_id", how="semi")["user_id"].unique().sort().to_list()
    if not judged:
        raise DataRejected(
            "nobody has a purchase held out and others besides", field="--protocol", value="holdout", fix="use leave-one-out"
        )
    learners = happened["user_id"].unique().sort().to_list()
    training = Interactions.of(learned, learners, len(catalogue.rows))
    had = pairs_of(happened, judged)
    return RankingTask(
        name=f"{part}, {' and '.join(signal_name(code) for code in sorted(codes))}",
        items=catalogue.table,
        training=TrainingData(training, catalogue.table, catalogue.attributes),
        histories=Interactions.of(learned, judged, len(catalogue.rows)),
        user_ids=judged,
        truths={HELD_OUT: Truth(pairs_of(catalogue.coded(held_out), judged), had)},
        bought=had,
        buyer_share=buyer_share(training),
        segments=user_segments(happened, judged, catalogue, knows_times=recorded.knows_times),
        learner_ids=learners,
    )


def _last_purchases(happened: pl.DataFrame) -> pl.DataFrame:
    bought = happened.filter(pl.col("signal") == PURCHASE_CODE)
    several = pl.col("item_id").n_unique().over("user_id") > 1
    return bought.filter(several).unique("user_id", keep="last", maintain_order=True).select(_PAIR)


def _aged(happened: pl.DataFrame, *, knows_order: bool) -> pl.DataFrame:
    """With age_days before each user's own end; 0 where the order means nothing, so that no algorithm weighs by it."""
    age = (pl.col("at").max().over("user_id") - pl.col("at")).dt.total_seconds() / DAY_S
    return happened.with_columns((age if knows_order else pl.lit(0.0)).alias("age_days"))


def _weighed(learned: pl.DataFrame) -> pl.DataFrame:
    """With what each signal counts, where there are several; purchases alone count 1 and need no column."""
    weights = Signals().weights
    if learned["signal"].n_unique() < 2:
        return learned.drop("signal")
    return learned.with_columns(pl.Series("weight", weights[learned["signal"].to_numpy()]))
