"""What tables of neighbours are learned from as of a moment."""

from datetime import datetime, timedelta

import numpy as np
import polars as pl

from endcap.algorithms.algorithm import TrainingData
from endcap.algorithms.image import image_embeddings_of
from endcap.algorithms.interactions import Interactions
from endcap.contracts.moment import DAY_S
from endcap.features.net_purchases import standing
from endcap.training.training_set import TrainingSet
from endcap_components.build_tables.occasions import weighted

DAYS = 365
ITEMS_A_USER_MAX = 500


def learned_from(training: TrainingSet, moment: datetime) -> TrainingData:
    """A year before `moment`, of the eligible items only: what hardly anyone bought has no reliable neighbours.

    Where there are more than purchases, what each person or visit did with an item counts the weight of the strongest. A basket or visit of
    nobody known counts as somebody who did nothing else.
    """
    known = _done(training, moment) if training.has_signals else _bought(training, moment)
    age, item_count = (moment - pl.col("occurred_at")).dt.total_seconds() / DAY_S, len(training.item_rows)
    return TrainingData(
        interactions=Interactions.of(known.with_columns(age.alias("age_days")), known["user_id"].unique().sort().to_list(), item_count),
        items=training.items,
        attributes=training.attribute_codes,
        image_embeddings=image_embeddings_of(training.item_rows),
    )


def _bought(training: TrainingSet, moment: datetime) -> pl.DataFrame:
    known = training.purchases_of_all
    known = known.filter(pl.col("occurred_at") >= moment - timedelta(days=DAYS), pl.col("occurred_at") < moment, standing(pl.lit(moment)))
    return _newest(known.filter(pl.Series(training.eligible_at(moment)[known["item_index"].to_numpy()])), ITEMS_A_USER_MAX)


def _newest(purchases: pl.DataFrame, items_max: int) -> pl.DataFrame:
    """Each user's last items: work grows with the square of them, and who buys everything says little of what goes together."""
    pairs = purchases.group_by("user_id", "item_index").agg(pl.col("occurred_at").max())
    place = pl.struct("occurred_at", "item_index").rank("ordinal", descending=True).over("user_id")
    return pairs.filter(place <= items_max).sort("user_id", "occurred_at", "item_index")


def _done(training: TrainingSet, moment: datetime) -> pl.DataFrame:
    """As `_bought`, the last time of each type of event, with its weight."""
    eligible = pl.Series(np.flatnonzero(training.eligible_at(moment)), dtype=pl.Int32)
    done = training.interactions.filter(
        pl.col("occurred_at") >= moment - timedelta(days=DAYS),
        pl.col("occurred_at") < moment,
        standing(pl.lit(moment)),
        pl.col("item_index").is_in(eligible.implode()),
    )
    last = done.group_by("user_id", "item_index", "signal").agg(pl.col("occurred_at").max()).collect(engine="streaming")
    kept = _newest(last, ITEMS_A_USER_MAX).select("user_id", "item_index")
    rows = last.join(kept, on=["user_id", "item_index"], how="semi").sort("user_id", "occurred_at", "item_index", "signal")
    return weighted(rows, training)
