"""A registry that comes with the release: schemas are registered beside its start, and by a hook once it is there."""

import json

from tests.cluster.chart import CHART, RELEASE, values_of
from tests.cluster.command import Command
from tests.cluster.rest import Objects
from tests.waiting import until

SETTINGS = (
    "--values",
    values_of("minimal"),
    "--set",
    "kafka.bootstrap=kafka.shared.svc:9092,schemaRegistry.enabled=true",
)
NAME = "endcap-schema-registry"


def _run(helm: Command, verb: str, namespace: str, *more: str) -> str:
    return helm(verb, RELEASE, CHART, "--namespace", namespace, *SETTINGS, *more)


def _jobs(objects: Objects, namespace: str) -> list[str]:
    return [each["metadata"]["name"] for each in objects.list_all("batch/v1", "Job", namespace)]


def test_an_installation_waits_for_no_hook_and_an_upgrade_has_one_once_it_is_ready(
    helm: Command, kubectl: Command, objects: Objects, namespace: str
) -> None:
    _run(helm, "install", namespace)
    (job,) = _jobs(objects, namespace)
    assert job.startswith("endcap-schemas-")
    _run(helm, "upgrade", namespace)
    assert _jobs(objects, namespace) == [job], "nothing has changed"
    hook = "helm.sh/hook: pre-install,pre-upgrade"
    assert hook not in _run(helm, "upgrade", namespace, "--dry-run=server")
    _become_ready(kubectl, objects, namespace)
    assert hook in _run(helm, "upgrade", namespace, "--dry-run=server")


def _become_ready(kubectl: Command, objects: Objects, namespace: str) -> None:
    """What the kubelet would say of its pod; no node runs it here."""
    pod = f"{NAME}-0"
    until(lambda: pod in {each["metadata"]["name"] for each in objects.list_all("v1", "Pod", namespace)}, "the registry's pod")
    ready = json.dumps({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}})
    kubectl("patch", "pod", pod, "--namespace", namespace, "--subresource=status", "--type=merge", "-p", ready)

    def replicas() -> int:
        return int(objects.get("apps/v1", "StatefulSet", namespace, NAME)["status"].get("readyReplicas", 0))

    until(lambda: replicas() == 1, "the registry is ready")


def test_its_volume_outlives_the_release(helm: Command, objects: Objects, namespace: str) -> None:
    _run(helm, "install", namespace)

    def volumes() -> set[str]:
        return {each["metadata"]["name"] for each in objects.list_all("v1", "PersistentVolumeClaim", namespace)}

    until(lambda: f"data-{NAME}-0" in volumes(), "the registry's claim")
    helm("uninstall", RELEASE, "--namespace", namespace, "--no-hooks")
    until(lambda: not objects.list_all("apps/v1", "StatefulSet", namespace), "the StatefulSet is gone")
    assert f"data-{NAME}-0" in volumes()
