"""Names of the feature tables, each one Parquet file in a feature folder."""

USER_FEATURES = "user_features"
USER_ITEM_FEATURES = "user_item_features"
ITEM_FEATURES = "item_features"
FEATURE_TABLES = (USER_FEATURES, USER_ITEM_FEATURES, ITEM_FEATURES)
