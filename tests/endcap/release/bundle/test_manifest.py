"""A bundle is opened only when every file is the one that was exported."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from endcap.core.errors import BundleInvalid
from endcap.release.bundle.manifest import Bundle, list_bundles, open_bundle


def test_a_sealed_bundle_opens_with_the_same_manifest(make_bundle: Callable[..., Bundle]) -> None:
    sealed = make_bundle(20261127080000)
    assert open_bundle(sealed.path).manifest == sealed.manifest


@pytest.mark.parametrize("name", ["saved_model.pb", "tables/items.parquet", "tables/item_embeddings.npy"])
def test_a_missing_file_is_named(make_bundle: Callable[..., Bundle], name: str) -> None:
    bundle = make_bundle(1)
    (bundle.path / name).unlink()
    with pytest.raises(BundleInvalid, match=name):
        open_bundle(bundle.path)


def test_a_changed_file_is_named(make_bundle: Callable[..., Bundle]) -> None:
    bundle = make_bundle(1)
    (bundle.path / "saved_model.pb").write_bytes(b"0123456789abcdef")
    with pytest.raises(BundleInvalid, match=r"saved_model\.pb.*exported"):
        open_bundle(bundle.path)


def test_other_feature_columns_are_refused(make_bundle: Callable[..., Bundle]) -> None:
    bundle = make_bundle(1)
    path = bundle.path / "bundle.json"
    manifest = json.loads(path.read_text())
    manifest["features"]["user_numeric"].append("shoe_size")
    path.write_text(json.dumps(manifest))
    with pytest.raises(BundleInvalid, match="feature columns"):
        open_bundle(bundle.path)


def test_a_manifest_that_is_not_one_is_refused(make_bundle: Callable[..., Bundle]) -> None:
    bundle = make_bundle(1)
    (bundle.path / "bundle.json").write_text("{}")
    with pytest.raises(BundleInvalid, match="contract"):
        open_bundle(bundle.path)


def test_bundles_are_listed_newest_first_and_other_folders_left_out(make_bundle: Callable[..., Bundle], tmp_path: Path) -> None:
    folder = tmp_path / "bundles"
    for version in (2, 10, 1):
        make_bundle(version, folder=folder)
    (folder / ".3.123").mkdir()
    assert [manifest.version for manifest in list_bundles(folder)] == [10, 2, 1]
    assert list_bundles(tmp_path / "nowhere") == []
