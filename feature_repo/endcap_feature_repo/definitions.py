"""The one file Feast loads (.feastignore names the others): loading each by its path would define every object twice."""

from feast import FeatureService

from endcap.features.store.names import RANKING_SERVICE, REQUEST_SERVICE, RETRIEVAL_SERVICE, SESSION_COLUMNS
from endcap.features.store.packed_views import PACKED_SERVICE
from endcap_feature_repo.entities import item, session, user
from endcap_feature_repo.sources import recent_items_push, session_events_push
from endcap_feature_repo.views import (
    context_features,
    item_stats,
    request_context,
    session_packed,
    session_signals,
    user_history,
    user_item,
    user_item_packed,
    user_packed,
    user_profile,
    user_recent,
    user_recent_packed,
)

retrieval_v1 = FeatureService(
    name=RETRIEVAL_SERVICE, features=[user_profile, user_history, context_features], description="What the query tower is trained on."
)
ranking_v1 = FeatureService(
    name=RANKING_SERVICE, features=[user_profile, user_item, item_stats, context_features], description="What the ranker is trained on."
)
request_v1 = FeatureService(
    name=REQUEST_SERVICE,
    features=[user_profile, user_history, user_item, user_recent, session_signals[list(SESSION_COLUMNS)]],
    description="The one online read of a request; context is computed in process.",
)
request_packed_v1 = FeatureService(
    name=PACKED_SERVICE,
    features=[user_packed, user_item_packed, user_recent_packed, session_packed],
    description="The same, packed: a service of its own, as readers of earlier versions take all views of request_v1 for columns.",
)


__all__ = [
    "context_features",
    "item",
    "item_stats",
    "ranking_v1",
    "recent_items_push",
    "request_context",
    "request_packed_v1",
    "request_v1",
    "retrieval_v1",
    "session",
    "session_events_push",
    "session_packed",
    "session_signals",
    "user",
    "user_history",
    "user_item",
    "user_item_packed",
    "user_packed",
    "user_profile",
    "user_recent",
    "user_recent_packed",
]
