"""The kustomize tree, and the other files made from the chart's sources: current, and the same objects that Helm renders."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.charts.chart import CHART, PROFILES, ROOT, called, documents, program

MANIFESTS = ROOT / "manifests"


@pytest.fixture(autouse=True)
def _generators_are_importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "charts"))


def test_tree_is_current() -> None:
    from kustomize_tree import tree

    on_disk = {path.relative_to(MANIFESTS): path.read_text() for path in MANIFESTS.rglob("*.yaml")}
    made = tree()
    assert sorted(on_disk) == sorted(made)
    assert [str(path) for path, text in made.items() if on_disk[path] != text] == []


def test_monitoring_files_of_the_chart_are_current() -> None:
    from render_manifests import MONITORING, copied_files

    assert "alert-rules.yaml" in copied_files()
    assert [name for name in copied_files() if (CHART / "files" / name).read_text() != (MONITORING / name).read_text()] == []


@pytest.mark.parametrize("profile", PROFILES)
def test_an_overlay_builds_what_helm_renders(profile: str) -> None:
    from kustomize_tree import rendered

    built = documents(_kustomize(MANIFESTS / "overlays" / profile))
    helms = [each for objects in rendered(profile).values() for each in objects]
    assert _by_name(built) == _by_name(helms)


@pytest.mark.parametrize("profile", PROFILES)
def test_an_overlay_of_ones_own_sets_the_namespace_everywhere(profile: str, tmp_path: Path) -> None:
    overlay = os.path.relpath(MANIFESTS / "overlays" / profile, tmp_path)
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump({"resources": [overlay], "namespace": "shop"}))
    built = documents(_kustomize(tmp_path))
    assert {each["metadata"].get("namespace") for each in built if each["kind"] != "CustomResourceDefinition"} == {"shop"}
    subjects = [subject for each in built if each["kind"] == "RoleBinding" for subject in each["subjects"]]
    assert all(subject["namespace"] == "shop" for subject in subjects)


def test_no_file_names_helm_as_manager() -> None:
    for path in MANIFESTS.rglob("*.yaml"):
        text = path.read_text()
        assert "managed-by: Helm" not in text, path
        assert "helm.sh/" not in text, path


def _by_name(objects: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    named = {called(each): each for each in objects}
    assert len(named) == len(objects)
    return named


def _kustomize(folder: Path) -> str:
    kubectl = program("kubectl")
    if kubectl is None:
        pytest.skip("there is no kubectl: run `make setup`")
    command = [kubectl, "kustomize", str(folder), "--load-restrictor", "LoadRestrictionsNone"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
