"""Leave-one-out: each user's last item is the test, the one before it validation, ranked against the whole catalogue.

No sampled negatives, whose figures need not order models as the whole catalogue does (Krichene and Rendle, KDD 2020). Models are fitted on
training alone, that is on all but the last two items of each user; for the test they see the history up to the last item.
"""

from typing import Literal

import polars as pl

from endcap.algorithms.algorithm import TrainingData
from endcap.algorithms.interactions import Interactions
from endcap.contracts.moment import DAY_S
from endcap.core.errors import DataRejected
from endcap_benchmarks.quality.recorded_purchases import RecordedPurchases
from endcap_benchmarks.quality.task import RankingTask, TaskCatalogue, Truth, buyer_share, pairs_of, user_segments

LAST_ITEM = "last item"
HELD_OUT = 2
"""Items at the end of every sequence that nothing is fitted on: validation and test."""

Part = Literal["validation", "test"]


def leave_one_out_task(recorded: RecordedPurchases, part: Part, *, refit: bool = False) -> RankingTask:
    """The task of the last items, or of those before them.

    Users with fewer than three purchases are learned from and not judged. Lists leave out what the user has; a user whose held-out item
    is one of these, bought again, cannot be judged. Ages count from the moment of the first item that is hidden from the reader: that of
    validation for what is learned, that of the judged item for histories.

    Args:
        recorded: the dataset.
        part: which item is judged.
        refit: learn from everything before the judged item, validation included, as a shop would; published figures do not.

    Raises:
        DataRejected: nobody has three purchases with a last item that is new to them.
    """
    catalogue = TaskCatalogue.of(recorded.items)
    steps = catalogue.coded(recorded.purchases.filter(pl.col("taken_off_at").is_null())).sort("user_id", maintain_order=True)
    steps = steps.with_columns(
        pl.len().over("user_id").alias("length"), pl.int_range(pl.len()).over("user_id").alias("step").cast(pl.Int64)
    ).with_columns((pl.col("length").cast(pl.Int64) - 1 - pl.col("step")).alias("from_end"))
    judged_at = 0 if part == "test" else 1
    long_enough = pl.col("length") > HELD_OUT
    hidden_from = judged_at + 1 if refit else HELD_OUT
    first_hidden = steps.filter(long_enough & (pl.col("from_end") == hidden_from - 1))
    learned = _aged(steps.filter(~long_enough | (pl.col("from_end") >= hidden_from)), first_hidden)
    held_out = steps.filter(long_enough & (pl.col("from_end") == judged_at))
    history = _aged(steps.filter(long_enough & (pl.col("from_end") > judged_at)), held_out)
    held_out = held_out.join(history, on=["user_id", "item_index"], how="anti", maintain_order="left")
    judged = held_out["user_id"].sort().to_list()
    if not judged:
        raise DataRejected("nobody has three purchases whose last is new", field="--protocol", value="leave-one-out", fix="use temporal")
    everybody = steps["user_id"].unique().sort().to_list()
    training = Interactions.of(learned, everybody, len(catalogue.rows))
    bought = pairs_of(history, judged)
    return RankingTask(
        name=f"{part}, refitted" if refit else part,
        items=catalogue.table,
        training=TrainingData(training, catalogue.table, catalogue.attributes),
        histories=Interactions.of(history, judged, len(catalogue.rows)),
        user_ids=judged,
        truths={LAST_ITEM: Truth(pairs_of(held_out, judged), bought)},
        bought=bought,
        buyer_share=buyer_share(training),
        segments=user_segments(history, judged, catalogue, knows_times=recorded.knows_times),
        learner_ids=everybody,
    )


def _aged(steps: pl.DataFrame, ends: pl.DataFrame) -> pl.DataFrame:
    """With age_days before each user's row in `ends`; users without one count from their own last purchase."""
    until = ends.select("user_id", pl.col("at").alias("until"))
    end = pl.coalesce("until", pl.col("at").max().over("user_id"))
    age = ((end - pl.col("at")).dt.total_seconds() / DAY_S).alias("age_days")
    return steps.join(until, on="user_id", how="left", maintain_order="left").with_columns(age)
