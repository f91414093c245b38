"""Context computed on demand from the moment, the surface and the device; for training and for callers of Feast's own server."""

import pandas as pd
from feast import Field, RequestSource
from feast.on_demand_feature_view import on_demand_feature_view
from feast.types import Int32, Int64, String

from endcap.features.columns import CONTEXT
from endcap.features.store.names import CONTEXT_FEATURES

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
