"""Step: feature tables into Feast's offline store."""

from pathlib import Path

from endcap.feature_store.publish import publish_features
from endcap.settings import load_settings


def publish_features_step(features_dir: Path) -> str:
    """Publish feature tables where the settings say and apply the feature repository; returns the features' fingerprint.

    Raises:
        DataRejected: the folder lacks a table.
        DependencyUnavailable: Feast refused the definitions.
    """
    return publish_features(features_dir, load_settings())
