"""Views keyed by user. Field lists follow endcap.features.columns."""

from datetime import timedelta

from feast import FeatureView, Field
from feast.types import Array, FeastType, Float32, Int64, String

from endcap.features.columns import PAIR_LISTS, USER_AFFINITY, USER_CATEGORICAL, USER_HISTORY, USER_NUMERIC
from endcap.features.store.names import USER_HISTORY_VIEW, USER_ITEM, USER_PROFILE
from endcap_feature_repo.entities import user
from endcap_feature_repo.materialization import since_newest_snapshot
from endcap_feature_repo.sources import user_features, user_item_features

SNAPSHOT_LIFE = timedelta(days=8)
"""Snapshots come weekly: looking back further would only make point-in-time joins slower. Online reads have no such limit."""


def _list_type(name: str) -> FeastType:
    if name.endswith("_ids"):
        return Array(String)
    return Array(Int64) if name.endswith("_at") else Array(Float32)


user_profile = FeatureView(
    name=USER_PROFILE,
    entities=[user],
    ttl=SNAPSHOT_LIFE,
    schema=[
        *(Field(name=name, dtype=Float32) for name in USER_NUMERIC),
        *(Field(name=name, dtype=String) for name in USER_CATEGORICAL),
        *(Field(name=name, dtype=_list_type(name)) for name in USER_AFFINITY),
    ],
    source=user_features,
    description="Recency, frequency, spend, habits, attributes and affinities of a user.",
)

user_history = FeatureView(
    name=USER_HISTORY_VIEW,
    entities=[user],
    ttl=SNAPSHOT_LIFE,
    schema=[Field(name=name, dtype=_list_type(name)) for name in USER_HISTORY],
    source=user_features,
    description="The items a user touched last.",
)

user_item = FeatureView(
    name=USER_ITEM,
    entities=[user],
    ttl=SNAPSHOT_LIFE,
    schema=[Field(name=name, dtype=_list_type(name)) for name in PAIR_LISTS],
    source=user_item_features,
    description="What a user bought before: counts, recency and gaps, a list entry an item.",
)

for _view in (user_profile, user_history, user_item):
    _view.materialization_intervals = since_newest_snapshot()
