"""What each model takes, by name and version."""

from feast import FeatureService

from endcap.features.store.names import RANKING_SERVICE, REQUEST_SERVICE, RETRIEVAL_SERVICE
from endcap_feature_repo.context_views import context_features
from endcap_feature_repo.item_views import item_stats
from endcap_feature_repo.session_views import session_signals
from endcap_feature_repo.user_views import user_history, user_item, user_profile

retrieval_v1 = FeatureService(
    name=RETRIEVAL_SERVICE, features=[user_profile, user_history, context_features], description="What the query tower is trained on."
)
ranking_v1 = FeatureService(
    name=RANKING_SERVICE, features=[user_profile, user_item, item_stats, context_features], description="What the ranker is trained on."
)
request_v1 = FeatureService(
    name=REQUEST_SERVICE,
    features=[user_profile, user_history, user_item, session_signals],
    description="The one online read of a request; context is computed in process.",
)
