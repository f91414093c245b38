"""The stream changes its runner in an upgrade: what one has written the other one finds, and what the operator said stays."""

import json

import pytest

from tests.cluster.chart import CHART, RELEASE, documents, values_of
from tests.cluster.command import Command, CommandFailed
from tests.cluster.rest import Objects
from tests.waiting import until

SETTINGS = (
    "--values",
    values_of("minimal"),
    "--set",
    "kafka.bootstrap=kafka.shared.svc:9092,stream.enabled=true,stream.secretName=letters,rollouts.operator.enabled=true,crds.enabled=false",
)
ON_SPARK = ("--set", "stream.runner=spark")
HOME = "endcap-stream"
SAID = '{"version":20261201090000}'


def _run(helm: Command, verb: str, namespace: str, *more: str) -> str:
    return helm(verb, RELEASE, CHART, "--namespace", namespace, *SETTINGS, *more)


def _runners(objects: Objects, namespace: str) -> set[str]:
    kinds = (("apps/v1", "StatefulSet"), ("sparkoperator.k8s.io/v1beta2", "SparkApplication"))
    return {kind for version, kind in kinds for each in objects.list_all(version, kind, namespace) if each["metadata"]["name"] == HOME}


def test_an_upgrade_leaves_one_runner_on_the_same_home_there_and_back(helm: Command, objects: Objects, namespace: str) -> None:
    _run(helm, "install", namespace)
    assert _runners(objects, namespace) == {"StatefulSet"}
    home = objects.get("v1", "PersistentVolumeClaim", namespace, HOME)["metadata"]["uid"]
    for settings, runner in ((ON_SPARK, "SparkApplication"), ((), "StatefulSet")):
        _run(helm, "upgrade", namespace, *settings)
        until(lambda runner=runner: _runners(objects, namespace) == {runner}, f"the {runner} alone")  # type: ignore[misc]
        assert objects.get("v1", "PersistentVolumeClaim", namespace, HOME)["metadata"]["uid"] == home
    helm("uninstall", RELEASE, "--namespace", namespace, "--no-hooks")
    assert objects.get("v1", "PersistentVolumeClaim", namespace, HOME)["metadata"]["uid"] == home


def test_what_the_operator_said_outlives_upgrades(helm: Command, kubectl: Command, objects: Objects, namespace: str) -> None:
    _run(helm, "install", namespace)
    patch = json.dumps({"data": {"served.json": SAID}})
    kubectl("patch", "configmap", "endcap-served", "--namespace", namespace, "--field-manager=endcap-rollout", "--type=merge", "-p", patch)
    for settings in (ON_SPARK, ("--set", "commonLabels.team=search"), ()):
        _run(helm, "upgrade", namespace, *settings)
        assert objects.get("v1", "ConfigMap", namespace, "endcap-served")["data"] == {"served.json": SAID}
    _run(helm, "upgrade", namespace, "--set", "rollouts.operator.enabled=false")
    data = objects.get("v1", "ConfigMap", namespace, "endcap-served")["data"]
    assert data["values.json"].strip() == '{"version": 20261124110000}'
    helm("uninstall", RELEASE, "--namespace", namespace, "--no-hooks")


@pytest.mark.usefixtures("real_schemas")
def test_objects_of_both_runners_are_accepted_with_strict_field_validation(helm: Command, kubectl: Command, namespace: str) -> None:
    for settings in ((), ON_SPARK):
        rendered = helm("template", RELEASE, CHART, "--namespace", namespace, *SETTINGS, *settings)
        arguments = ("--dry-run=server", "--validate=strict", "--namespace", namespace, "-o", "name", "-f", "-")
        assert len(kubectl("apply", *arguments, stdin=rendered).split()) == len(documents(rendered))


def test_a_claim_of_the_stream_changes_neither_mode_nor_class(helm: Command, namespace: str) -> None:
    _run(helm, "install", namespace)
    for change, said in (("accessMode=ReadWriteOncePod", r"stream\.claim\.accessMode: claim"), ("size=1Gi", r"stream\.claim\.size: claim")):
        with pytest.raises(CommandFailed, match=said):
            _run(helm, "upgrade", namespace, "--set", f"stream.claim.{change}")
    helm("uninstall", RELEASE, "--namespace", namespace, "--no-hooks")
