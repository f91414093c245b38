"""The hook's objects, from a copy of the chart in which a lookup has found two replaced autoscalers."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.charts.chart import CHART, NAMESPACE, RELEASE, VARIANTS, Document, documents, environment, one, program, render

OLD = '["horizontalpodautoscaler/endcap-predictor","horizontalpodautoscaler/endcap-bold-predictor"]'
FOUND = re.compile(r'(\{\{- define "endcap\.replacedAutoscalers" -\}\}\n).*?(\n\{\{- toJson \$found -\}\}\n)', re.DOTALL)
POLICIES = "before-hook-creation,hook-succeeded,hook-failed"


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    copied = tmp_path / "endcap"
    shutil.copytree(CHART, copied)
    helpers = copied / "templates" / "_autoscaler.tpl"
    text, replaced = FOUND.subn(rf"\1{{{{- $found := fromJsonArray `{OLD}` -}}}}\2", helpers.read_text())
    assert replaced == 1
    helpers.write_text(text)
    return copied


def rendered(chart: Path, *options: str) -> list[Document]:
    values = ["--values", str(chart / "profiles" / "production.yaml"), "--set-json", f"experiments={json.dumps(VARIANTS['experiments'])}"]
    command = [program("helm"), "template", RELEASE, str(chart), "--namespace", NAMESPACE, *values, *options]
    objects = documents(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return [each for each in objects if each["metadata"]["name"] == "endcap-autoscaler"]


def test_the_whole_hook_comes_after_an_upgrade_and_goes_with_it(chart: Path) -> None:
    objects = rendered(chart)
    assert {each["kind"] for each in objects} == {"Job", "NetworkPolicy", "Role", "RoleBinding", "ServiceAccount"}
    annotations = [each["metadata"]["annotations"] for each in objects]
    assert {each["helm.sh/hook"] for each in annotations} == {"post-upgrade"}
    assert {each["helm.sh/hook-delete-policy"] for each in annotations} == {POLICIES}
    weights = {each["kind"]: int(each["metadata"]["annotations"]["helm.sh/hook-weight"]) for each in objects}
    assert max(weights, key=lambda kind: weights[kind]) == "Job"
    assert weights["Role"] < weights["RoleBinding"]


def test_it_may_touch_objects_of_these_names_and_no_other(chart: Path) -> None:
    services = {"endcap", "endcap-candidate", "endcap-bold", "endcap-calm"}
    rules = {rule["resources"][0]: rule for rule in one(rendered(chart), "Role")["rules"]}
    assert {name: rule["verbs"] for name, rule in rules.items()} == {
        "inferenceservices": ["get"],
        "deployments": ["get"],
        "horizontalpodautoscalers": ["get", "delete"],
        "scaledobjects": ["get", "delete"],
    }
    assert set(rules["inferenceservices"]["resourceNames"]) == services
    for name in ("deployments", "horizontalpodautoscalers", "scaledobjects"):
        assert set(rules[name]["resourceNames"]) == {f"{each}-predictor" for each in services}


def test_its_pod_is_restricted_bounded_and_reaches_the_api_server_alone(chart: Path) -> None:
    objects = rendered(chart)
    job = one(objects, "Job")["spec"]
    pod = job["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert set(container["resources"]["limits"]) == {"cpu", "memory"}
    assert job["activeDeadlineSeconds"] < 300  # Helm's own time-out
    settings = environment(container)
    assert set(settings["SERVICES"].split(",")) == {"endcap", "endcap-candidate", "endcap-bold", "endcap-calm"}
    assert "--ignore-not-found horizontalpodautoscaler/endcap-predictor horizontalpodautoscaler/endcap-bold" in settings["COMMAND"]
    compile(container["args"][0], "hook", "exec")
    egress = one(objects, "NetworkPolicy")["spec"]["egress"]
    assert [port["port"] for rule in egress for port in rule["ports"]] == [443, 6443]


def test_with_hooks_off_there_is_none(chart: Path) -> None:
    assert rendered(chart, "--set", "hooks.enabled=false") == []


def test_where_nothing_can_be_looked_up_there_is_none(tmp_path: Path) -> None:
    names = {each["metadata"]["name"] for each in render(tmp_path, "production", None, "--is-upgrade")}
    assert "endcap-autoscaler" not in names
