"""What kind of data a benchmark is run on: how much, how sparse, and whether people buy the same things again."""

import polars as pl

from benchmarks.quality.quality_report import DataKind
from benchmarks.quality.recorded_purchases import RecordedPurchases

DOMINATES_FROM = 0.5
MATTERS_FROM = 0.1


def data_kind(recorded: RecordedPurchases) -> DataKind:
    """Counted over the whole dataset."""
    purchases = recorded.purchases
    users, items = purchases["user_id"].n_unique(), purchases["item_id"].n_unique()
    distinct = purchases.select("user_id", "item_id").unique().height
    repeat_share = 1 - distinct / len(purchases)
    return DataKind(
        source=recorded.dataset.source,
        fingerprint=recorded.dataset.fingerprint,
        users=users,
        items=items,
        catalogue_items=len(recorded.items),
        purchases=len(purchases),
        purchases_per_user=float(purchases.group_by("user_id").len()["len"].cast(pl.Float64).median() or 0.0),  # type: ignore[arg-type]
        density=distinct / (users * items),
        repeat_share=repeat_share,
        knows_times=recorded.knows_times,
        says=_meaning(repeat_share),
    )


def _meaning(repeat_share: float) -> str:
    told = f"{repeat_share:.0%} of the purchases are of an item that the same person had bought before"
    if repeat_share >= DOMINATES_FROM:
        return f"{told}: buying again dominates, so a model has to know what a person buys, and when it is due; new items are judged apart."
    if repeat_share >= MATTERS_FROM:
        return f"{told}: both buying again and finding new items matter."
    return f"{told}: finding new items is all that counts."
