"""What the two-tower may learn from: everything before the first ranking window, which the ranker is shown as new."""

from collections.abc import Iterator
from typing import cast

import numpy as np
import polars as pl

from endcap.algorithms.interactions import Interactions
from endcap.contracts.moment import DAY_S
from endcap.training.training_set import TrainingSet


def early_interactions(training: TrainingSet) -> Interactions:
    """Purchases before the first ranking window of the items that are eligible there, by user in the order of time."""
    first = training.manifest.ranking_windows[0]
    eligible = np.flatnonzero(training.eligible_at(first)).astype(np.int32)
    purchases = training.purchases.filter((pl.col("occurred_at") < first) & pl.col("item_index").is_in(eligible))
    purchases = purchases.sort("user_id", "occurred_at", maintain_order=True)
    counts = cast("np.ndarray", purchases.group_by("user_id", maintain_order=True).len()["len"].to_numpy())
    age = (pl.lit(first) - pl.col("occurred_at")).dt.total_seconds() / DAY_S
    return Interactions(
        start=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        item_index=purchases["item_index"].to_numpy().astype(np.int32),
        age_days=purchases.select(age.alias("age"))["age"].to_numpy().astype(np.float32),
        item_count=len(training.items) - 1,
    )


def early_parts(training: TrainingSet) -> Iterator[Interactions]:
    """The same purchases, some users at a time: a shard of sequences lies in memory, whatever the number of events."""
    first = training.manifest.ranking_windows[0]
    eligible = training.eligible_at(first)
    for users in training.sequences.stream():
        early = users.before(first)
        age_days = ((first.timestamp() - early.occurred_at) / DAY_S).astype(np.float32)
        part = Interactions(early.start, early.item_index, age_days, len(training.items) - 1)
        yield part.where(eligible[early.item_index])
