"""The step materialize_features: the newest features of every user in the online store."""

from datetime import datetime

from endcap.feature_store.materialize import materialize
from endcap.features.manifest import read_manifest
from endcap.settings import Settings


def materialize_features_step(settings: Settings) -> datetime:
    """Bring the online store to the end of the published features; returns that moment.

    Raises:
        DataRejected: no features are published.
        DependencyUnavailable: the store does not take them.
    """
    until = read_manifest(settings.features_dir).data_end
    materialize(settings, until)
    return until
