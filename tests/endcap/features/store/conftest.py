import importlib.util
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from endcap.core.settings import Settings
from endcap.features.computing import build_feature_tables
from endcap.features.snapshots import FeatureOptions
from endcap.features.store.materialize import materialize
from endcap.features.store.open import open_store
from endcap.features.store.publish import publish_features

ROOT = Path(__file__).parents[4]


@pytest.fixture(scope="session")
def shop() -> ModuleType:
    """Makers of small datasets: write_shop, random_shop, random_events, purchase, item, user, moment."""
    spec = importlib.util.spec_from_file_location("made_shop", ROOT / "tests" / "endcap" / "features" / "made_shop.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def filled(shop, tmp_path_factory) -> SimpleNamespace:
    """A real store of a small shop, applied and materialised: settings, features (folder), manifest, moments, store."""
    folder = tmp_path_factory.mktemp("store")
    dataset = shop.random_shop(folder / "data", 11)
    summary = build_feature_tables(dataset, folder / "features", FeatureOptions(test_weeks=2, ranking_windows=2))
    settings = Settings(home=folder / "home", feature_repo_dir=ROOT / "feature_repo" / "endcap_feature_repo")
    publish_features(folder / "features", settings)
    moments = materialize(settings, summary.manifest.data_end)
    return SimpleNamespace(
        settings=settings, features=folder / "features", manifest=summary.manifest, moments=moments, store=open_store(settings)
    )
