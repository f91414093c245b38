"""Pods with bundles in object storage in a namespace that enforces the restricted standard.

KServe's webhook puts its storage initializer into a pod when it is created, from the ClusterStorageContainer `default`; observed of it
(0.20 line): no privilege escalation, no capabilities, not root, and no seccomp profile of its own, so that the pod's counts.
"""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes.client.rest import ApiException

from tests.cluster.chart import CHART, KNATIVE, RELEASE, documents, values_of
from tests.cluster.command import Command
from tests.cluster.kserve_objects import knative_service, standard_objects
from tests.cluster.kserve_pod import predictor_pod
from tests.cluster.pod_templates import pod_of
from tests.cluster.rest import Objects
from tests.docs.page import blocks

OBJECT_STORAGE = ("--set", "bundles.storageUri=s3://shop/bundles,networkPolicies.objectStorage=true")
WITHOUT_CONTEXT = ("--set", "serving.knative.podSecurityContext=false")
KNATIVES_OWN = {"timeoutSeconds", "responseStartTimeoutSeconds", "containerConcurrency"}
INITIALIZER = {
    "name": "storage-initializer",
    "image": "kserve/storage-initializer:v0.20.0",
    "resources": {"requests": {"cpu": "100m", "memory": "100Mi"}, "limits": {"cpu": "1", "memory": "1Gi"}},
    "securityContext": {
        "allowPrivilegeEscalation": False,
        "privileged": False,
        "runAsNonRoot": True,
        "capabilities": {"drop": ["ALL"]},
    },
}


Created = Callable[..., dict[str, Any]]


@pytest.fixture
def created(helm: Command, objects: Objects, namespace: str) -> Created:
    """Creates, as a dry run, the pod that KServe makes of these values with this container before it."""

    def of(*values: str, initializer: dict[str, Any] | None = None) -> dict[str, Any]:
        arguments = ("--namespace", namespace, "--values", values_of("minimal"), *values)
        rendered = documents(helm("template", RELEASE, CHART, *arguments))
        pod = _pod(rendered, namespace)
        if initializer is not None:
            pod["spec"]["initContainers"] = [copy.deepcopy(initializer)]
        return objects.create(pod, dry_run=True)

    return of


def _pod(rendered: list[dict[str, Any]], namespace: str) -> dict[str, Any]:
    service = next(each for each in rendered if each["kind"] == "InferenceService")
    runtime = next(each for each in rendered if each["kind"] == "ServingRuntime")
    service = {**service, "metadata": {**service["metadata"], "namespace": namespace, "uid": "none"}}
    merged = predictor_pod(service, runtime)
    is_knative = service["metadata"]["annotations"]["serving.kserve.io/deploymentMode"] == "Knative"
    made = knative_service(service, merged, {}) if is_knative else standard_objects(service, merged)[0]
    pod = copy.deepcopy(pod_of(merged.name, made["spec"]["template"]))
    spec = {name: value for name, value in pod["spec"].items() if name not in KNATIVES_OWN}
    return {**pod, "metadata": {**pod["metadata"], "namespace": namespace}, "spec": {**spec, "serviceAccountName": "default"}}


@pytest.mark.parametrize("mode", [(), KNATIVE], ids=["Standard", "Knative"])
def test_pods_with_a_storage_initializer_are_taken(created: Created, mode: tuple[str, ...]) -> None:
    made = created(*mode, *OBJECT_STORAGE, initializer=INITIALIZER)
    assert made["spec"]["initContainers"][0]["name"] == "storage-initializer"


def test_knative_pods_with_bundles_on_a_claim_need_no_context(created: Created) -> None:
    """Knative refuses the field until its feature is on, so it is not asked for where nothing is injected."""
    assert created(*KNATIVE)["spec"].get("securityContext") == {}


def test_without_the_context_the_initializer_is_refused(created: Created) -> None:
    with pytest.raises(ApiException, match="seccompProfile"):
        created(*KNATIVE, *OBJECT_STORAGE, *WITHOUT_CONTEXT, initializer=INITIALIZER)


def test_the_storage_container_may_have_the_profile_instead(created: Created, kubectl: Command, tmp_path: Path) -> None:
    """The patch of the chart's page on a ClusterStorageContainer as KServe brings it."""
    spec = {"container": INITIALIZER, "supportedUriFormats": [{"prefix": "s3://"}]}
    document = {
        "apiVersion": "serving.kserve.io/v1alpha1",
        "kind": "ClusterStorageContainer",
        "metadata": {"name": "default"},
        "spec": spec,
    }
    (tmp_path / "default.yaml").write_text(yaml.safe_dump(document))
    patch = next(each.text for each in blocks("../charts/endcap/README.md") if each.name == "storage-container.yaml")
    patched = kubectl("patch", "--local", "-f", tmp_path / "default.yaml", "--type=merge", "--patch", patch, "-o", "json")
    container = json.loads(patched)["spec"]["container"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert created(*KNATIVE, *OBJECT_STORAGE, *WITHOUT_CONTEXT, initializer=container)["spec"]["initContainers"]
