"""Feature tables of a small shop, for feature stores that streams write to."""

from pathlib import Path

from endcap.features.computing import build_feature_tables
from endcap.features.snapshots import FeatureOptions
from tests.endcap.features.made_shop import random_shop


def made_features(folder: Path) -> Path:
    """Build them under a folder; where they are."""
    build_feature_tables(random_shop(folder / "data", 11), folder / "features", FeatureOptions(test_weeks=2, ranking_windows=2))
    return folder / "features"
