"""What kind of data a benchmark is run on: how much, how sparse, and whether people buy the same things again."""

import numpy as np

from endcap.algorithms.interactions import Interactions
from endcap.training.data_profile import REPEAT_SHARE_MIN, DataProfile
from endcap_benchmarks.quality.quality_report import DataKind
from endcap_benchmarks.quality.recorded_purchases import RecordedPurchases

DOMINATES_FROM = 0.5


def data_kind(recorded: RecordedPurchases) -> DataKind:
    """Counted over the whole dataset."""
    index = recorded.items.select("item_id").with_row_index("item_index", offset=1)
    purchases = recorded.purchases.join(index, on="item_id", maintain_order="left")
    everybody = purchases["user_id"].unique().sort().to_list()
    interactions = Interactions.of(purchases.with_columns(age_days=0.0), everybody, len(recorded.items))
    profile = DataProfile.of(interactions)
    return DataKind(
        source=recorded.dataset.source,
        fingerprint=recorded.dataset.fingerprint,
        users=profile.users,
        items=profile.items,
        catalogue_items=len(recorded.items),
        purchases=profile.interactions,
        purchases_per_user=float(np.median(np.diff(interactions.start))),
        density=profile.density,
        repeat_share=profile.repeat_share,
        knows_times=recorded.knows_times,
        says=_meaning(profile.repeat_share),
    )


def _meaning(repeat_share: float) -> str:
    found = f"{repeat_share:.0%} of the purchases are of an item that the same person had bought before"
    if repeat_share >= DOMINATES_FROM:
        return (
            f"{found}: buying again dominates, so a model has to know what a person buys, and when it is due; new items are judged apart."
        )
    if repeat_share >= REPEAT_SHARE_MIN:
        return f"{found}: both buying again and finding new items matter, and they are judged apart."
    return f"{found}: finding new items is all that counts."
