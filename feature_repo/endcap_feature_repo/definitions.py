"""The one file Feast loads (.feastignore names the others): loading each by its path would define every object twice."""

from endcap_feature_repo.context_views import context_features, request_context
from endcap_feature_repo.entities import item, session, user
from endcap_feature_repo.item_views import item_stats
from endcap_feature_repo.services import ranking_v1, request_v1, retrieval_v1
from endcap_feature_repo.session_views import session_signals
from endcap_feature_repo.sources import session_events_push
from endcap_feature_repo.user_views import user_history, user_item, user_profile

__all__ = [
    "context_features",
    "item",
    "item_stats",
    "ranking_v1",
    "request_context",
    "request_v1",
    "retrieval_v1",
    "session",
    "session_events_push",
    "session_signals",
    "user",
    "user_history",
    "user_item",
    "user_profile",
]
