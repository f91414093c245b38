"""The item-to-item table as of a moment, by whichever algorithm was asked for."""

from datetime import datetime, timedelta

import polars as pl

from endcap.algorithms.algorithm import Algorithm, TrainingData
from endcap.algorithms.image import image_embeddings_of
from endcap.algorithms.interactions import Interactions
from endcap.algorithms.registry import item_to_item_of
from endcap.contracts.moment import DAY_S
from endcap.engine.retrieval.item_to_item import ItemToItem
from endcap.features.net_purchases import standing
from endcap.training.training_set import TrainingSet

DAYS = 365
ITEMS_A_USER_MAX = 500


def item_to_item_at(training: TrainingSet, moment: datetime, algorithm: Algorithm, *, seed: int, neighbours: int) -> ItemToItem:
    """Learned from a year of purchases before `moment`, of the eligible items only: what hardly anyone bought has no reliable neighbours.

    A basket whose customer is unknown counts as somebody who bought nothing else.

    Args:
        training: a training set.
        moment: where to look from.
        algorithm: one with neighbours or vectors of items.
        seed: of everything random in it.
        neighbours: kept for each item.
    """
    since = moment - timedelta(days=DAYS)
    known = training.purchases_of_all
    known = known.filter(pl.col("occurred_at") >= since, pl.col("occurred_at") < moment, standing(pl.lit(moment)))
    known = _newest(known.filter(pl.Series(training.eligible_at(moment)[known["item_index"].to_numpy()])), ITEMS_A_USER_MAX)
    age, item_count = (moment - pl.col("occurred_at")).dt.total_seconds() / DAY_S, len(training.item_rows)
    data = TrainingData(
        interactions=Interactions.of(known.with_columns(age.alias("age_days")), known["user_id"].unique().sort().to_list(), item_count),
        items=training.items,
        attributes=training.attribute_codes,
        image_embeddings=image_embeddings_of(training.item_rows),
    )
    return item_to_item_of(algorithm.fit(data, seed), neighbours)


def _newest(purchases: pl.DataFrame, items_max: int) -> pl.DataFrame:
    """Each user's last items: work grows with the square of them, and who buys everything says little of what goes together."""
    pairs = purchases.group_by("user_id", "item_index").agg(pl.col("occurred_at").max())
    place = pl.struct("occurred_at", "item_index").rank("ordinal", descending=True).over("user_id")
    return pairs.filter(place <= items_max).sort("user_id", "occurred_at", "item_index")
