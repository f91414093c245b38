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
    assert _features(tmp_path, {"serving": serving}) == {"kubernetes.podspec-nodeselector", "multi-container-probing"}


def test_on_knative_bundles_in_object_storage_need_one_feature_and_a_claim_none(tmp_path: Path) -> None:
    assert _features(tmp_path, {}) == set()
    bundles = {"bundles": {"storageUri": "s3://shop/bundles"}, "networkPolicies": {"objectStorage": True}}
    assert _features(tmp_path, bundles) == {"kubernetes.podspec-securitycontext"}
    live = {"serving": {**KNATIVE["serving"], "live": {"claimName": "live"}}}
    assert _features(tmp_path, live) == {"kubernetes.podspec-persistent-volume-claim"}


def _features(folder: Path, values: dict[str, Any]) -> set[str]:
    notes = _notes(folder, "minimal", {**KNATIVE, **values})
    named = {line.strip() for line in notes.splitlines() if line.strip().startswith(("kubernetes.", "multi-"))}
    assert ("config-features" in notes) == bool(named)
    return named


def test_they_name_what_to_look_at_when_nothing_gets_ready(tmp_path: Path) -> None:
    notes = _notes(tmp_path, "production")
    shown = [line.strip() for line in notes.splitlines() if line.strip().startswith(("kubectl", "helm"))]
    looked_at = ("status.conditions", "modelStatus.lastFailureInfo", "get events", "replicasets", "describe pods", "helm test", "rollouts")
    found = [next(number for number, line in enumerate(shown) if each in line and number > 2) for each in looked_at]
    assert found == sorted(found)
    assert all(f"--namespace {NAMESPACE}" in line for line in shown if not line.startswith("curl"))


def test_they_say_that_the_first_warnings_heal(tmp_path: Path) -> None:
    notes = _notes(tmp_path, "minimal")
    assert "In the first minute KServe may warn" in notes
    assert "endcap-tensorflow-serving" in notes


def test_they_say_when_guardrails_would_have_no_data(tmp_path: Path) -> None:
    told = "without data a rollout does not go on"
    assert told in _notes(tmp_path, "gpu")
    assert told not in _notes(tmp_path, "production")


def test_they_say_what_holds_where_a_request_says_nothing_of_consent(tmp_path: Path) -> None:
    notes = _notes(tmp_path, "minimal")
    for said in ("not personalised", "neither the user's nor the session's id", "serving.consent.personalisation"):
        assert said in notes
    analytics = _notes(tmp_path, "minimal", {"serving": {"consent": {"analytics": True}}})
    assert "not personalised" in analytics
    assert "session's id" not in analytics
    both = {"serving": {"consent": {"personalisation": True, "analytics": True}}}
    assert "consent" not in _notes(tmp_path, "minimal", both)
