"""A feature store that the stream writes to, made once."""

from pathlib import Path

import pytest

from endcap.core.settings import Settings
from endcap.features.manifest import read_manifest
from endcap.features.store.materialize import materialize
from endcap.features.store.publish import publish_features
from tests.services.stream.made_features import made_features


@pytest.fixture(scope="session")
def store_features(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Feature tables of a small shop."""
    return made_features(tmp_path_factory.mktemp("stream-features"))


@pytest.fixture(scope="session")
def store_home(store_features: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a real store of a small shop; tests that start processes copy it."""
    settings = Settings(home=tmp_path_factory.mktemp("stream-store") / "home")
    publish_features(store_features, settings)
    materialize(settings, read_manifest(store_features).data_end)
    return settings.home
