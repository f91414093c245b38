"""The champion's bundle is found wherever a deployment keeps it, or the reason is said."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from endcap.core.errors import BundleInvalid
from endcap.core.settings import RolloutSettings, Settings
from endcap.release.bundle.manifest import Bundle
from endcap.release.bundle.promotion import promote_bundle
from endcap.release.bundle.store import open_bundle_store
from endcap.release.champion import champion_bundle
from endcap.release.tracking import Champion

MakeBundle = Callable[..., Bundle]


def test_a_bundle_that_is_served_or_installed_is_opened_where_it_lies(make_bundle: MakeBundle, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    make_bundle(3, folder=settings.bundles_dir)
    with champion_bundle(Champion(3), settings) as installed:
        assert installed.path == settings.bundles_dir / "3"
    promote_bundle(installed, settings.served_dir)
    with champion_bundle(Champion(3), settings) as served:
        assert served.path == settings.served_dir / "endcap" / "3"


def test_a_bundle_of_a_cluster_comes_from_its_store(make_bundle: MakeBundle, tmp_path: Path) -> None:
    bundle = make_bundle(3)
    store = tmp_path / "store"
    open_bundle_store(str(store)).put(bundle)
    settings = Settings(home=tmp_path / "home", rollouts=RolloutSettings(bundle_store=store.as_uri()))
    with champion_bundle(Champion(3, "pvc://endcap-bundles/3"), settings) as fetched:
        assert fetched.manifest == bundle.manifest
    assert not fetched.path.exists()


def test_a_bundle_that_was_registered_with_a_folder_is_found_there(make_bundle: MakeBundle, tmp_path: Path) -> None:
    bundle = make_bundle(3, folder=tmp_path / "a folder")
    with champion_bundle(Champion(3, bundle.path.as_uri()), Settings(home=tmp_path / "home")) as found:
        assert found.path == bundle.path


def test_a_bundle_that_is_nowhere_or_damaged_says_so(make_bundle: MakeBundle, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    with pytest.raises(BundleInvalid, match="in none of the places"), champion_bundle(Champion(3), settings):
        pass
    bundle = make_bundle(3, folder=settings.bundles_dir)
    shutil.rmtree(bundle.path / "tables")
    with pytest.raises(BundleInvalid, match="missing"), champion_bundle(Champion(3), settings):
        pass
