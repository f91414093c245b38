"""The one file Feast loads (.feastignore names the others): loading each by its path would define every object twice."""

from feast import FeatureService

from endcap.features.store.names import RANKING_SERVICE, REQUEST_SERVICE, RETRIEVAL_SERVICE, SESSION_COLUMNS
from endcap_feature_repo.entities import item, session, user
from endcap_feature_repo.sources import session_events_push
from endcap_feature_repo.views import (
    context_features,
    item_stats,
    request_context,
    session_signals,
    user_history,
    user_item,
    user_profile,
)

retrieval_v1 = FeatureService(
    name=RETRIEVAL_SERVICE, features=[user_profile, user_history, context_features], description="What the query tower is trained on."
)
ranking_v1 = FeatureService(
    name=RANKING_SERVICE, features=[user_profile, user_item, item_stats, context_features], description="What the ranker is trained on."
)
request_v1 = FeatureService(
    name=REQUEST_SERVICE,
    features=[user_profile, user_history, user_item, session_signals[list(SESSION_COLUMNS)]],
    description="The one online read of a request; context is computed in process.",
)


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
