"""The kustomize tree, from what Helm renders: one overlay a profile, and a base of what all of them share."""

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).parent / "endcap"
MANIFESTS = Path(__file__).parents[1] / "manifests"
PROFILES = ("minimal", "production", "gpu", "multi-region")
RELEASE = NAMESPACE = "endcap"
HEADER = "# Made by `python charts/render_manifests.py` from charts/endcap; change the chart instead.\n"
_SOURCE = re.compile(r"^# Source: endcap/templates/(.+)$", re.MULTILINE)
_MANAGED_BY = "app.kubernetes.io/managed-by"
_HELMS_OWN = "helm.sh/"
_TESTS = "test-"
"""Templates that `helm test` alone needs."""
_WITHOUT_HELM = ("--set", "pipelines.schedule.by=cronJob", "--set", "hooks.enabled=false")
"""Values of a release that nobody upgrades: its schedule is an object among the others, and there is no hook."""

Documents = list[dict[str, Any]]


def helm() -> str:
    """Helm of this environment, else of the PATH.

    Raises:
        FileNotFoundError: there is neither.
    """
    beside = Path(sys.executable).parent / "helm"
    found = str(beside) if beside.is_file() else shutil.which("helm")
    if found is None:
        raise FileNotFoundError("helm: run `make setup`, or put it on the PATH")
    return found


def rendered(profile: str) -> dict[str, Documents]:
    """The objects of a profile by the template they come from, without Helm's own labels and without tests."""
    command = [helm(), "template", RELEASE, str(CHART), "--namespace", NAMESPACE, "--skip-tests", *_WITHOUT_HELM]
    command += ["--values", str(CHART / "profiles" / f"{profile}.yaml")]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    files: dict[str, Documents] = {}
    for part in re.split(r"^---\n", text, flags=re.MULTILINE):
        document = yaml.load(part, Loader=yaml.CSafeLoader)
        source = _SOURCE.search(part)
        if document and source and not source[1].startswith(_TESTS):
            files.setdefault(source[1], []).append(without_helm(document))
    return files


def without_helm(node: Any) -> Any:
    """A document as kustomize manages it."""
    if isinstance(node, list):
        return [without_helm(each) for each in node]
    if not isinstance(node, Mapping):
        return node
    kept = {name: without_helm(value) for name, value in node.items() if not str(name).startswith(_HELMS_OWN)}
    if kept.get(_MANAGED_BY) == "Helm":
        kept[_MANAGED_BY] = "kustomize"
    if kept.get("annotations") == {}:
        del kept["annotations"]
    if kept.get("kind") == "ServiceAccount" and "metadata" not in kept:
        kept.pop("namespace", None)  # a binding's subject: kustomize puts it where the overlay's account is
    return kept


def tree() -> dict[Path, str]:
    """Every file of the tree, by its path in it."""
    profiles = {profile: rendered(profile) for profile in PROFILES}
    first = profiles[PROFILES[0]]
    shared = sorted(name for name in first if all(files.get(name) == first[name] for files in profiles.values()))
    files = {Path("base") / name: _text(first[name]) for name in shared}
    files[Path("base") / "kustomization.yaml"] = _kustomization(shared)
    for profile, objects in profiles.items():
        overlay = Path("overlays") / profile
        own = sorted(set(objects) - set(shared))
        files |= {overlay / name: _text(objects[name]) for name in own}
        files[overlay / "kustomization.yaml"] = _kustomization(["../../base", *own])
    return files


def write_tree(target: Path = MANIFESTS) -> None:
    """Make the files of a folder those of the tree; README.md stays."""
    files = tree()
    for old in target.rglob("*.yaml"):
        if old.relative_to(target) not in files:
            old.unlink()
    for name, text in files.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_text(text)


def _text(documents: Documents) -> str:
    return HEADER + yaml.dump_all(documents, Dumper=yaml.CSafeDumper, sort_keys=False, width=140)


def _kustomization(resources: Sequence[str]) -> str:
    kustomization = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": list(resources)}
    return HEADER + yaml.safe_dump(kustomization, sort_keys=False)
