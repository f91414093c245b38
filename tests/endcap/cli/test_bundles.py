"""`endcap bundle`."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from endcap.cli.bundles import app
from endcap.core.errors import BundleInvalid, InvalidInput
from endcap.core.settings import MilvusSettings
from endcap.release.bundle.manifest import Bundle
from endcap.release.index.connection import connect

pytestmark = pytest.mark.usefixtures("migrated_mlflow")


@pytest.fixture
def home(tmp_path: Path, milvus: MilvusSettings, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ENDCAP_HOME", str(tmp_path))
    monkeypatch.setenv("ENDCAP_MILVUS__PORT", str(milvus.port))
    monkeypatch.setenv("ENDCAP_MILVUS__COLLECTION_PREFIX", "listed")
    return tmp_path


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_without_bundles_the_next_step_is_named(home: Path) -> None:
    assert "endcap pipeline run" in run("list")
    assert json.loads(run("list", "--json")) == []


def test_promote_marks_the_bundle_as_served_and_champion(home: Path, make_bundle: Callable[..., Bundle]) -> None:
    for version in (1, 2):
        make_bundle(version, prefix="listed", folder=home / "bundles")
    assert json.loads(run("promote", "1", "--json"))["version"] == 1
    bundles = json.loads(run("list", "--json"))
    assert [(each["version"], each["champion"], each["served"]) for each in bundles] == [(2, False, False), (1, True, True)]
    assert "0.4" in run("list")


def test_a_bundle_that_a_method_orders_says_so_with_its_figure(home: Path, make_bundle: Callable[..., Bundle]) -> None:
    metrics = {"full/ndcg@4": 0.1, "ordered/ndcg@4": 0.3}
    make_bundle(1, folder=home / "bundles", ordered_by="own_decayed", main_k=4, metrics=metrics)
    (bundle,) = json.loads(run("list", "--json"))
    assert (bundle["ordered_by"], bundle["ndcg"]) == ("own_decayed", 0.3)


def test_show_checks_the_files(home: Path, make_bundle: Callable[..., Bundle]) -> None:
    bundle = make_bundle(1, folder=home / "bundles")
    assert json.loads(run("show", "1", "--json"))["version"] == 1
    assert "endcap-1" in run("show", "1")
    (bundle.path / "saved_model.pb").unlink()
    with pytest.raises(BundleInvalid, match=r"saved_model\.pb"):
        run("show", "1")


def test_store_copies_the_bundle_and_builds_its_collection(
    home: Path, make_bundle: Callable[..., Bundle], milvus: MilvusSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = make_bundle(3, prefix="listed", folder=home / "bundles")
    with pytest.raises(InvalidInput, match="ENDCAP_ROLLOUTS__BUNDLE_STORE"):
        run("store", "3")
    monkeypatch.setenv("ENDCAP_ROLLOUTS__BUNDLE_STORE", str(home / "store"))
    stored = json.loads(run("store", "3", "--json"))
    assert (home / "store" / "3" / "endcap" / "3" / "bundle.json").read_bytes() == (bundle.path / "bundle.json").read_bytes()
    assert stored["collection"] == bundle.manifest.collection
    client = connect(milvus)
    assert client.has_collection(bundle.manifest.collection)
    client.close()
    assert not any(each["served"] for each in json.loads(run("list", "--json")))


def test_an_unknown_version_is_refused(home: Path) -> None:
    with pytest.raises(BundleInvalid, match="no bundle here"):
        run("promote", "7")
