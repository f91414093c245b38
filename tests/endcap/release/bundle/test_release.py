"""Releasing a bundle moves index, served folder and champion together, and back."""

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from endcap.core.errors import BundleInvalid, DependencyUnavailable
from endcap.core.settings import MilvusSettings, Settings
from endcap.release.bundle.manifest import Bundle, open_bundle
from endcap.release.bundle.promotion import promote_bundle, served_version
from endcap.release.bundle.release import install_bundle, is_released, release_bundle
from endcap.release.bundle.release_record import ReleaseRecord, write_release
from endcap.release.index.alias import aliased_collection
from endcap.release.tracking import Tracking


@pytest.fixture
def settings(milvus: MilvusSettings, tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", milvus=milvus.model_copy(update={"collection_prefix": "released"}))


def test_an_installed_bundle_is_whole_and_stands_under_its_version(make_bundle: Callable[..., Bundle], tmp_path: Path) -> None:
    installed = install_bundle(make_bundle(5).path, tmp_path / "bundles")
    assert installed.path == tmp_path / "bundles" / "5"
    assert open_bundle(installed.path).manifest.version == 5
    assert install_bundle(installed.path, tmp_path / "bundles").path == installed.path


def test_a_damaged_bundle_is_not_installed(make_bundle: Callable[..., Bundle], tmp_path: Path) -> None:
    bundle = make_bundle(5)
    (bundle.path / "tables" / "popularity.parquet").unlink()
    with pytest.raises(BundleInvalid):
        install_bundle(bundle.path, tmp_path / "bundles")
    assert not (tmp_path / "bundles").exists()


def test_release_and_roll_back(make_bundle: Callable[..., Bundle], settings: Settings, client: Any) -> None:
    old, new = (install_bundle(make_bundle(version, prefix="released").path, settings.bundles_dir) for version in (1, 2))
    tracking = Tracking(settings)
    for bundle in (old, new, old):
        release = release_bundle(bundle, settings)
        version = bundle.manifest.version
        assert release.version == version == served_version(settings.served_dir) == tracking.champion_version()
        assert aliased_collection(client, "released") == bundle.manifest.collection
        assert [is_released(each, settings) for each in (old, new)] == [bundle is old, bundle is new]
    assert not release.index.built


def test_a_bundle_served_without_a_release_is_not_released(make_bundle: Callable[..., Bundle], settings: Settings) -> None:
    old, new = make_bundle(1), make_bundle(2)
    promote_bundle(old, settings.served_dir)
    record = ReleaseRecord(version=1, collection="endcap_1", run_id=None, dataset_fingerprint="f" * 64, metrics={"full/ndcg@10": 0.4})
    write_release(settings.served_dir, record)
    assert is_released(old, settings)
    promote_bundle(new, settings.served_dir)
    assert not is_released(old, settings)
    assert not is_released(new, settings)


def test_without_milvus_nothing_moves(make_bundle: Callable[..., Bundle], tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", milvus=MilvusSettings(port=1, managed=False))
    bundle = install_bundle(make_bundle(1).path, settings.bundles_dir)
    with pytest.raises(DependencyUnavailable, match="Milvus"):
        release_bundle(bundle, settings)
    assert served_version(settings.served_dir) is None
    assert Tracking(settings).champion_version() is None


def test_files_that_cannot_be_linked_are_copied(
    make_bundle: Callable[..., Bundle], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    bundle = make_bundle(5)
    monkeypatch.setattr("endcap.release.bundle.release.os.link", refused)
    installed = install_bundle(bundle.path, tmp_path / "bundles")
    assert open_bundle(installed.path).manifest == bundle.manifest
    (model,) = installed.path.glob("saved_model.pb")
    assert model.stat().st_nlink == 1
