"""The kustomize tree, and the other files made from the chart's sources: current, and the same objects that Helm renders."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.charts.chart import CHART, PROFILES, ROOT, called, documents, program
from tests.charts.test_labels import OF_THE_PARTS

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


def _overlay_of_the_readme(profile: str, folder: Path) -> list[dict[str, Any]]:
    """What the overlay shown in manifests/README.md builds, on another profile."""
    shown = re.findall(r"^# shop/(\S+)\n(.*?)^```$", (MANIFESTS / "README.md").read_text(), flags=re.DOTALL | re.MULTILINE)
    for name, text in shown:
        (folder / name).write_text(text)
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    overlay = os.path.relpath(MANIFESTS / "overlays" / profile, folder)
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization | {"resources": [overlay]}))
    return documents(_kustomize(folder))


@pytest.mark.parametrize("profile", PROFILES)
def test_an_overlay_of_ones_own_sets_the_namespace_of_all_but_the_parts(profile: str, tmp_path: Path) -> None:
    built = _overlay_of_the_readme(profile, tmp_path)
    placed = {called(each): each["metadata"].get("namespace") for each in built if each["kind"] != "CustomResourceDefinition"}
    parts = {name for name, namespace in placed.items() if namespace == "endcap-parts"}
    assert parts == (OF_THE_PARTS if profile == "production" else set())
    assert {namespace for name, namespace in placed.items() if name not in parts} == {"endcap"}
    subjects = [subject for each in built if each["kind"] == "RoleBinding" for subject in each["subjects"]]
    assert all(subject["namespace"] == "endcap" for subject in subjects)


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
