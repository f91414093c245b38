"""Step: feature tables into Feast's offline store."""

from pathlib import Path

from endcap.core.settings import load_settings
from endcap.features.store.publish import publish_features


def publish_features_step(features_dir: Path) -> str:
    """Publish feature tables where the settings say and apply the feature repository; returns the features' fingerprint.

    Raises:
        DataRejected: the folder lacks a table.
        DependencyUnavailable: Feast refused the definitions.
    """
    return publish_features(features_dir, load_settings())
