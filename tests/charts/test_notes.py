"""What Helm tells after an installation: the next three commands."""

import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests.charts.chart import CHART, KNATIVE, NAMESPACE, RELEASE, program


def _notes(folder: Path, profile: str, values: dict[str, Any] | None = None) -> str:
    given = folder / "values.yaml"
    given.write_text(yaml.safe_dump(values or {}))
    command = [program("helm"), "install", RELEASE, str(CHART), "--namespace", NAMESPACE, "--dry-run=client"]
    command += ["--values", str(CHART / "profiles" / f"{profile}.yaml"), "--values", str(given)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.partition("\nNOTES:\n")[2]


def test_they_wait_ask_and_roll_out(tmp_path: Path) -> None:
    notes = _notes(tmp_path, "production")
    steps = [notes.index(each) for each in ("1. Wait", "kubectl wait", "2. Ask", "/v1/models/endcap:predict", "3. Roll", "rollout start")]
    assert steps == sorted(steps)
    assert "ENDCAP_ROLLOUTS__STORAGE_URI=pvc://endcap-bundles" in notes


def test_without_a_bundle_they_say_how_to_get_one(tmp_path: Path) -> None:
    notes = _notes(tmp_path, "minimal", {"serving": {"bundle": {"version": None}}})
    assert "No bundle is served yet" in notes
    assert "--set serving.bundle.version=" in notes
    assert "kubectl wait" not in notes


def test_on_knative_they_name_the_features_that_the_values_need(tmp_path: Path) -> None:
    serving = {**KNATIVE["serving"], "nodeSelector": {"pool": "serving"}, "knative": {"multiContainerProbing": True}}
    features = _notes(tmp_path, "minimal", {**KNATIVE, "serving": serving})
    needed = {"kubernetes.podspec-persistent-volume-claim", "kubernetes.podspec-nodeselector", "multi-container-probing"}
    assert {line.strip() for line in features.splitlines() if line.strip().startswith(("kubernetes.", "multi-"))} == needed


def test_they_say_when_guardrails_would_have_no_data(tmp_path: Path) -> None:
    told = "without data a rollout does not go on"
    assert told in _notes(tmp_path, "gpu")
    assert told not in _notes(tmp_path, "production")
