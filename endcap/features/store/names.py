"""Names that the feature repository and its readers share."""

from endcap.contracts.moment import DAY_S

USER_PROFILE = "user_profile"
USER_HISTORY_VIEW = "user_history"
USER_ITEM = "user_item"
ITEM_STATS = "item_stats"
SESSION_SIGNALS = "session_signals"
CONTEXT_FEATURES = "context_features"

USER_VIEWS = (USER_PROFILE, USER_HISTORY_VIEW, USER_ITEM)
"""Views keyed by user that are kept online."""

SESSION_TABLE = "session_signals"
SESSION_PUSH_SOURCE = "session_events_push"
SESSION_COLUMNS = ("session_item_ids", "session_event_types", "session_occurred_at")
"""Lists of equal length: items, what happened to them, and UTC epoch seconds, newest last."""

SESSION_SUMMARY = ("session_cart_item_ids", "session_queries", "session_dwell_ms")
"""The cart as it stands and the queries, newest last, and the time spent; requests do not read them."""

SESSION_LIFE_SECONDS = DAY_S
"""How long a visit's events say anything about what is wanted next."""

RETRIEVAL_SERVICE = "retrieval_v1"
RANKING_SERVICE = "ranking_v1"
REQUEST_SERVICE = "request_v1"
