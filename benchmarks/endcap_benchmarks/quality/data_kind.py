"""What kind of data is measured on, counted over the whole dataset."""

import numpy as np
import polars as pl

from endcap.algorithms.interactions import Interactions
from endcap.dataset.layout import Dataset
from endcap.training.data_profile import REPEAT_SHARE_MIN, DataProfile
from endcap_benchmarks.quality.quality_report import DataKind
from endcap_benchmarks.quality.recorded_purchases import RecordedPurchases
from endcap_benchmarks.quality.recorded_signals import RecordedSignals

DOMINATES_FROM = 0.5


def kind_of_purchases(recorded: RecordedPurchases) -> DataKind:
    """Of what people bought."""
    profile, median = _counted(recorded.purchases, recorded.items)
    return _kind(recorded.dataset, recorded.items, profile, median, _meaning(profile.repeat_share))


def kind_of_visits(recorded: RecordedSignals) -> DataKind:
    """Of what was done in visits, of every kind."""
    profile, median = _counted(recorded.signals.with_columns(user_id="session_id"), recorded.items)
    says = f"{profile.repeat_share:.0%} of the events are with an item that the same visit had before."
    return _kind(recorded.dataset, recorded.items, profile, median, says).model_copy(update={"of_visits": True})


def _counted(rows: pl.DataFrame, items: pl.DataFrame) -> tuple[DataProfile, float]:
    """The profile, and the median of a user's rows."""
    index = items.select("item_id").with_row_index("item_index", offset=1)
    coded = rows.select("user_id", "item_id").join(index, on="item_id", maintain_order="left").with_columns(age_days=0.0)
    interactions = Interactions.of(coded, coded["user_id"].unique().sort().to_list(), len(items))
    return DataProfile.of(interactions), float(np.median(np.diff(interactions.start)))


def _kind(dataset: Dataset, items: pl.DataFrame, profile: DataProfile, median: float, says: str) -> DataKind:
    return DataKind(
        source=dataset.source,
        fingerprint=dataset.fingerprint,
        users=profile.users,
        items=profile.items,
        catalogue_items=len(items),
        purchases=profile.interactions,
        purchases_per_user=median,
        density=profile.density,
        repeat_share=profile.repeat_share,
        knows_times=dataset.knows_times,
        says=says,
    )


def _meaning(repeat_share: float) -> str:
    repeated = f"{repeat_share:.0%} of the purchases are of an item that the same person had bought before"
    if repeat_share >= DOMINATES_FROM:
        return f"{repeated}: buying again dominates, so a model has to know what a person buys and when it is due; new items count apart."
    if repeat_share >= REPEAT_SHARE_MIN:
        return f"{repeated}: both buying again and finding new items matter, and they are judged apart."
    return f"{repeated}: finding new items is all that counts."
