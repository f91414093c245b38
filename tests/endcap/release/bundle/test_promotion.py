"""The model base path holds one whole version at a time."""

from collections.abc import Callable
from pathlib import Path

import pytest

from endcap.core.errors import BundleInvalid
from endcap.release.bundle.manifest import Bundle
from endcap.release.bundle.promotion import model_base_path, promote_bundle, served_bundle, served_version


def test_promotion_replaces_the_served_version_forward_and_back(make_bundle: Callable[..., Bundle], tmp_path: Path) -> None:
    served = tmp_path / "served"
    old, new = make_bundle(1), make_bundle(2)
    for bundle in (old, new, old):
        promote_bundle(bundle, served)
        assert [path.name for path in model_base_path(served).iterdir() if not path.name.startswith(".")] == [str(bundle.manifest.version)]
        assert served_bundle(served).manifest == bundle.manifest
        assert served_version(served) == bundle.manifest.version


def test_what_is_served_is_a_copy(make_bundle: Callable[..., Bundle], tmp_path: Path) -> None:
    bundle = make_bundle(1)
    target = promote_bundle(bundle, tmp_path / "served")
    (bundle.path / "saved_model.pb").write_bytes(b"changed later")
    assert (target / "saved_model.pb").read_bytes() != b"changed later"


def test_nothing_served_is_said_clearly(tmp_path: Path) -> None:
    with pytest.raises(BundleInvalid, match="no bundle is promoted"):
        served_bundle(tmp_path)
    assert served_version(tmp_path) is None


def test_a_damaged_served_bundle_is_refused(make_bundle: Callable[..., Bundle], tmp_path: Path) -> None:
    target = promote_bundle(make_bundle(1), tmp_path / "served")
    (target / "variables" / "variables.index").unlink()
    with pytest.raises(BundleInvalid, match=r"variables\.index"):
        served_bundle(tmp_path / "served")
