"""Feature views: what is kept of users, user-item pairs, items, sessions and contexts. Field lists follow endcap.features.columns."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import pandas as pd
from feast import Entity, FeatureView, Field, RequestSource
from feast.on_demand_feature_view import on_demand_feature_view
from feast.types import Array, Bytes, FeastType, Float32, Int32, Int64, String

from endcap.features.columns import (
    CONTEXT,
    ITEM_NUMERIC,
    PAIR_LISTS,
    USER_AFFINITY,
    USER_CATEGORICAL,
    USER_HISTORY,
    USER_NUMERIC,
    USER_RECENT,
)
from endcap.features.store.names import (
    CONTEXT_FEATURES,
    ITEM_STATS,
    RECENT_LIFE_SECONDS,
    SESSION_COLUMNS,
    SESSION_LIFE_SECONDS,
    SESSION_SIGNALS,
    SESSION_SUMMARY,
    USER_HISTORY_VIEW,
    USER_ITEM,
    USER_PROFILE,
    USER_RECENT_VIEW,
)
from endcap.features.store.packed_views import PACKED, RECENT_PACKED, SESSION_PACKED, USER_ITEM_PACKED, USER_PACKED, PackedView
from endcap_feature_repo.entities import item, session, user
from endcap_feature_repo.materialization import since_newest_snapshot
from endcap_feature_repo.sources import (
    item_features,
    packed_rows,
    recent_items_push,
    session_events_push,
    user_features,
    user_item_features,
)

SNAPSHOT_LIFE = timedelta(days=8)
"""Snapshots come weekly: looking back further would only make point-in-time joins slower. Online reads have no such limit."""


_TYPES: Mapping[str, FeastType] = {
    "numbers": Float32,
    "integers": Int64,
    "texts": String,
    "number_lists": Array(Float32),
    "integer_lists": Array(Int64),
    "text_lists": Array(String),
}
"""By the groups of a packed layout, which says of what type each column is."""


def _fields(names: Sequence[str], packed: PackedView) -> list[Field]:
    """Columns that are packed beside the view."""
    types = {name: dtype for group, dtype in _TYPES.items() for name in getattr(packed.layout, group)}
    return [Field(name=name, dtype=types[name]) for name in names]


user_profile = FeatureView(
    name=USER_PROFILE,
    entities=[user],
    ttl=SNAPSHOT_LIFE,
    schema=_fields((*USER_NUMERIC, *USER_CATEGORICAL, *USER_AFFINITY), USER_PACKED),
    source=user_features,
    description="Recency, frequency, spend, habits, attributes and affinities of a user.",
)

user_history = FeatureView(
    name=USER_HISTORY_VIEW,
    entities=[user],
    ttl=SNAPSHOT_LIFE,
    schema=_fields(USER_HISTORY, USER_PACKED),
    source=user_features,
    description="The items a user touched last.",
)

user_item = FeatureView(
    name=USER_ITEM,
    entities=[user],
    ttl=SNAPSHOT_LIFE,
    schema=_fields(PAIR_LISTS, USER_ITEM_PACKED),
    source=user_item_features,
    description="What a user bought before: counts, recency and gaps, a list entry an item.",
)

for _view in (user_profile, user_history, user_item):
    _view.materialization_intervals = since_newest_snapshot()


user_recent = FeatureView(
    name=USER_RECENT_VIEW,
    entities=[user],
    ttl=timedelta(seconds=RECENT_LIFE_SECONDS),
    schema=_fields(USER_RECENT, RECENT_PACKED),
    source=recent_items_push,
    description="What a user did lately, from the stream: a view of its own, so that batch and stream never write the same row.",
)
user_recent.materialization_intervals = since_newest_snapshot()


item_stats = FeatureView(
    name=ITEM_STATS,
    entities=[item],
    ttl=timedelta(days=8),
    schema=[Field(name=name, dtype=Float32) for name in ITEM_NUMERIC],
    source=item_features,
    online=False,
    description="Popularity, trend, price, discount and promotion of an item.",
)


session_signals = FeatureView(
    name=SESSION_SIGNALS,
    entities=[session],
    ttl=timedelta(seconds=SESSION_LIFE_SECONDS),
    schema=[
        *_fields(SESSION_COLUMNS, SESSION_PACKED),
        *(Field(name=name, dtype=Int64 if name.endswith("_ms") else Array(String)) for name in SESSION_SUMMARY),
    ],
    source=session_events_push,
    description="What happened in a visit so far.",
)
session_signals.materialization_intervals = since_newest_snapshot()


def _packed(view: PackedView, entity: Entity, life: timedelta, description: str) -> FeatureView:
    packed = FeatureView(
        name=view.name,
        entities=[entity],
        ttl=life,
        schema=[Field(name=PACKED, dtype=Bytes)],
        source=packed_rows[view.name],
        description=f"{description}, packed into one value.",
    )
    packed.materialization_intervals = since_newest_snapshot()
    return packed


user_packed = _packed(USER_PACKED, user, SNAPSHOT_LIFE, "user_profile and user_history")
user_item_packed = _packed(USER_ITEM_PACKED, user, SNAPSHOT_LIFE, "user_item")
user_recent_packed = _packed(RECENT_PACKED, user, timedelta(seconds=RECENT_LIFE_SECONDS), "user_recent")
session_packed = _packed(SESSION_PACKED, session, timedelta(seconds=SESSION_LIFE_SECONDS), "What requests read of session_signals")


request_context = RequestSource(
    name="request_context",
    schema=[
        Field(name="epoch_seconds", dtype=Int64),
        Field(name="request_surface", dtype=String),
        Field(name="request_device", dtype=String),
    ],
    description="When, where on the site and on what device a list is asked for.",
)


@on_demand_feature_view(
    name=CONTEXT_FEATURES,
    sources=[request_context],
    schema=[Field(name=name, dtype=Int32) for name in CONTEXT],
    mode="pandas",
    description="Hour, weekday, month, surface and device as the models take them.",
)
def context_features(inputs: pd.DataFrame) -> pd.DataFrame:
    """The request path's own function, so that training and serving cannot differ. Imports inside: Feast stores this function's source."""
    import pandas as pd

    from endcap.features.columns import CONTEXT
    from endcap.features.context import context_rows

    surface = inputs["request_surface"].tolist()
    device = inputs["request_device"].tolist()
    return pd.DataFrame(context_rows(inputs["epoch_seconds"].to_numpy(), surface, device), columns=list(CONTEXT))
