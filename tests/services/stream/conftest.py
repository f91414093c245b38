"""A feature store that the stream writes to, made once."""

from pathlib import Path

import pytest

from endcap.core.settings import Settings
from endcap.features.computing import build_feature_tables
from endcap.features.snapshots import FeatureOptions
from endcap.features.store.materialize import materialize
from endcap.features.store.publish import publish_features
from tests.endcap.features.made_shop import random_shop


@pytest.fixture(scope="session")
def store_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a real store of a small shop; tests that start processes copy it."""
    folder = tmp_path_factory.mktemp("stream-store")
    summary = build_feature_tables(random_shop(folder / "data", 11), folder / "features", FeatureOptions(test_weeks=2, ranking_windows=2))
    settings = Settings(home=folder / "home")
    publish_features(folder / "features", settings)
    materialize(settings, summary.manifest.data_end)
    return settings.home
