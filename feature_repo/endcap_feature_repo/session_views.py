"""The view keyed by session, pushed while the session lasts."""

from datetime import timedelta

from feast import FeatureView, Field
from feast.types import Array, Int64, String

from endcap.features.store.names import SESSION_COLUMNS, SESSION_LIFE_SECONDS, SESSION_SIGNALS
from endcap_feature_repo.entities import session
from endcap_feature_repo.materialization import since_newest_snapshot
from endcap_feature_repo.sources import session_events_push

session_signals = FeatureView(
    name=SESSION_SIGNALS,
    entities=[session],
    ttl=timedelta(seconds=SESSION_LIFE_SECONDS),
    schema=[Field(name=name, dtype=Array(Int64 if name.endswith("_at") else String)) for name in SESSION_COLUMNS],
    source=session_events_push,
    description="What happened in a visit so far.",
)
session_signals.materialization_intervals = since_newest_snapshot()
