"""`endcap index`."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from endcap.cli.indexing import app
from endcap.core.errors import BundleInvalid
from endcap.core.settings import MilvusSettings
from endcap.release.bundle.manifest import Bundle
from endcap.release.bundle.promotion import promote_bundle


@pytest.fixture
def home(tmp_path: Path, milvus: MilvusSettings, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ENDCAP_HOME", str(tmp_path))
    monkeypatch.setenv("ENDCAP_MILVUS__PORT", str(milvus.port))
    monkeypatch.setenv("ENDCAP_MILVUS__COLLECTION_PREFIX", "indexed")
    return tmp_path


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_check_builds_what_is_missing_and_points_the_alias_at_the_served_bundle(home: Path, make_bundle: Callable[..., Bundle]) -> None:
    promote_bundle(make_bundle(1, prefix="indexed"), home / "served")
    report = json.loads(run("check", "--json"))
    assert report["built"]
    assert report["self_recall"] >= 0.95
    (state,) = json.loads(run("list", "--json"))
    assert (state["name"], state["is_aliased"]) == ("indexed_1", True)
    assert "indexed_1" in run("list")
    assert json.loads(run("prune", "--keep", "1", "--json")) == {"dropped": []}


def test_nothing_served_is_a_clear_error(home: Path) -> None:
    with pytest.raises(BundleInvalid, match="no bundle is promoted"):
        run("check")
