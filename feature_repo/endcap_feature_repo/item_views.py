"""The view keyed by item, for training only: requests read item features from the bundle's table in memory."""

from datetime import timedelta

from feast import FeatureView, Field
from feast.types import Float32

from endcap.features.columns import ITEM_NUMERIC
from endcap.features.store.names import ITEM_STATS
from endcap_feature_repo.entities import item
from endcap_feature_repo.sources import item_features

item_stats = FeatureView(
    name=ITEM_STATS,
    entities=[item],
    ttl=timedelta(days=8),
    schema=[Field(name=name, dtype=Float32) for name in ITEM_NUMERIC],
    source=item_features,
    online=False,
    description="Popularity, trend, price, discount and promotion of an item.",
)
