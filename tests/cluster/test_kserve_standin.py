"""The stand-in makes of the observed InferenceServices what the real controller made of them, and moves as it does."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.cluster import Cluster
from tests.cluster.command import Command
from tests.cluster.kserve_standin import KSERVE, KServeStandIn
from tests.cluster.rest import Objects
from tests.waiting import until

OBSERVED = Path(__file__).parents[2].parent / "shared" / "data" / "kserve-observed"
GIVEN_NAMESPACE = "shop"
LEFT_OUT = {
    "Deployment/b-separate-transformer",
    "HorizontalPodAutoscaler/b-separate-transformer",
    "Service/b-separate-transformer",
    "Service/d-knative",
}
"""A transformer beside the predictor, which endcap has not; the alias to Istio's gateway, which KServe's ingress makes."""
API_VERSIONS = {
    "Deployment": "apps/v1",
    "HorizontalPodAutoscaler": "autoscaling/v2",
    "ScaledObject": "keda.sh/v1alpha1",
    "Service": "v1",
}
SET_BY_THE_SERVER = {"clusterIP", "clusterIPs"}
REPLICAS_AT_FIRST = 1
STOCK_RUNTIME = """
apiVersion: serving.kserve.io/v1alpha1
kind: ClusterServingRuntime
metadata: {name: kserve-tensorflow-serving}
spec:
  annotations: {prometheus.kserve.io/port: "8080", prometheus.kserve.io/path: /metrics}
  supportedModelFormats:
  - {name: tensorflow, version: "1", autoSelect: true}
  - {name: tensorflow, version: "2", autoSelect: true}
  protocolVersions: [v1, grpc-v1]
  containers:
  - name: kserve-container
    image: tensorflow/serving:2.19.0
    command: [/usr/bin/tensorflow_model_server]
    args:
    - --model_name={{.Name}}
    - --port=9000
    - --rest_api_port=8080
    - --model_base_path=/mnt/models
    - --rest_api_timeout_in_ms=60000
    securityContext:
      allowPrivilegeEscalation: false
      privileged: false
      runAsNonRoot: true
      runAsUser: 1000
      capabilities: {drop: [ALL]}
    resources:
      requests: {cpu: "1", memory: 2Gi}
      limits: {cpu: "1", memory: 2Gi}
"""
"""KServe's own, which the observed services name."""


@pytest.fixture(scope="module")
def stock_runtime(kubectl: Command, operator_crds: None) -> None:
    kubectl("apply", "--server-side", "-f", "-", stdin=STOCK_RUNTIME)


@pytest.fixture
def objects(cluster: Cluster) -> Objects:
    return Objects(cluster.api_client(), "tests")


@pytest.fixture
def observed(stock_runtime: None) -> dict[str, Any]:
    if not OBSERVED.is_dir():
        pytest.skip(f"no folder {OBSERVED.name} beside the tree: nothing to compare with")
    return json.loads((OBSERVED / "made.json").read_text(encoding="utf-8"))


def _given(namespace: str) -> list[dict[str, Any]]:
    content = (OBSERVED / "given.yaml").read_text(encoding="utf-8").replace(f"namespace: {GIVEN_NAMESPACE}", f"namespace: {namespace}")
    return list(yaml.safe_load_all(content))


def _found(objects: Objects, wanted: dict[str, Any], namespace: str) -> dict[str, Any]:
    found = objects.get(wanted["apiVersion"], wanted["kind"], namespace, wanted["metadata"]["name"])
    metadata = {field: found["metadata"][field] for field in ("annotations", "labels", "name", "namespace") if field in found["metadata"]}
    metadata.get("annotations", {}).pop("deployment.kubernetes.io/revision", None)
    spec = {field: value for field, value in found["spec"].items() if field not in SET_BY_THE_SERVER}
    if found["kind"] == "Deployment":
        spec["replicas"] = REPLICAS_AT_FIRST  # an autoscaler was not at work where it was observed
    text = json.dumps({"apiVersion": found["apiVersion"], "kind": found["kind"], "metadata": metadata, "spec": spec})
    return json.loads(text.replace(f'"namespace": "{namespace}"', f'"namespace": "{GIVEN_NAMESPACE}"'))


def test_it_makes_what_the_real_controller_made(observed: dict[str, Any], objects: Objects, namespace: str, kserve: KServeStandIn) -> None:
    services = _given(namespace)
    for each in services:
        objects.create(each)
    names = [each["metadata"]["name"] for each in services]
    until(lambda: all("status" in objects.get(KSERVE, "InferenceService", namespace, each) for each in names), "status of all services")
    for key, wanted in observed.items():
        if key not in LEFT_OUT:
            assert _found(objects, wanted, namespace) == wanted, key


SMALL = """
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {{name: shelf, namespace: {namespace}, annotations: {{serving.kserve.io/deploymentMode: {mode}}}}}
spec:
  predictor:
    minReplicas: 1
    securityContext: {{runAsNonRoot: true, seccompProfile: {{type: RuntimeDefault}}}}
    {canary}
    model:
      modelFormat: {{name: tensorflow, version: "2"}}
      runtime: kserve-tensorflow-serving
      storageUri: pvc://bundles/{version}
"""


def _apply(kubectl: Command, namespace: str, mode: str, version: int, canary: int | None = None) -> None:
    percent = "" if canary is None else f"canaryTrafficPercent: {canary}"
    kubectl("apply", "--server-side", "-f", "-", stdin=SMALL.format(namespace=namespace, mode=mode, version=version, canary=percent))


def _status(objects: Objects, namespace: str) -> dict[str, Any]:
    return objects.get(KSERVE, "InferenceService", namespace, "shelf").get("status", {})


def _ready(status: dict[str, Any]) -> str:
    return next((each["status"] for each in status.get("conditions", []) if each["type"] == "Ready"), "Unknown")


def _rolled(deployment: dict[str, Any]) -> bool:
    seen = deployment.get("status", {})
    current = seen.get("observedGeneration") == deployment["metadata"]["generation"]
    return bool(current and seen.get("updatedReplicas") == seen.get("readyReplicas") == seen.get("replicas") == 1)


def test_a_held_service_is_ready_once_it_is_released(
    stock_runtime: None, kubectl: Command, objects: Objects, namespace: str, kserve: KServeStandIn
) -> None:
    kserve.hold("shelf")
    _apply(kubectl, namespace, "Standard", 1)
    until(lambda: _status(objects, namespace).get("modelStatus", {}).get("copies", {}).get("totalCopies") == 1, "a pod")
    assert _ready(_status(objects, namespace)) != "True"
    kserve.release("shelf")
    until(lambda: _ready(_status(objects, namespace)) == "True", "ready")
    assert _status(objects, namespace)["modelStatus"]["transitionStatus"] == "UpToDate"
    kserve.lose("shelf")
    until(lambda: _ready(_status(objects, namespace)) == "False", "not ready")


def test_a_new_bundle_rolls_the_pods_only_when_new_ones_are_ready(
    stock_runtime: None, kubectl: Command, objects: Objects, namespace: str, kserve: KServeStandIn
) -> None:
    def rolled() -> bool:
        deployments = objects.list_all("apps/v1", "Deployment", namespace)
        return bool(deployments) and _rolled(deployments[0])

    _apply(kubectl, namespace, "Standard", 1)
    until(rolled, "first pod")
    kserve.hold("shelf")
    _apply(kubectl, namespace, "Standard", 2)
    until(lambda: _status(objects, namespace).get("observedGeneration") == 2, "second template")
    assert not rolled()
    assert _ready(_status(objects, namespace)) == "True"
    kserve.release("shelf")
    until(rolled, "second pod")


def test_canary_percent_is_ignored_in_standard_mode(
    stock_runtime: None, kubectl: Command, objects: Objects, namespace: str, kserve: KServeStandIn
) -> None:
    _apply(kubectl, namespace, "Standard", 1, canary=10)
    until(lambda: _ready(_status(objects, namespace)) == "True", "ready")
    assert "traffic" not in _status(objects, namespace)["components"]["predictor"]


def test_knative_splits_traffic_between_the_last_rolled_out_revision_and_the_newest(
    stock_runtime: None, kubectl: Command, objects: Objects, namespace: str, kserve: KServeStandIn
) -> None:
    def traffic() -> dict[str, int]:
        split = _status(objects, namespace).get("components", {}).get("predictor", {}).get("traffic", [])
        return {each["revisionName"]: each["percent"] for each in split}

    _apply(kubectl, namespace, "Knative", 1)
    until(lambda: traffic() == {"shelf-predictor-00001": 100}, "all to the first")
    kserve.hold("shelf")
    _apply(kubectl, namespace, "Knative", 2, canary=10)
    until(lambda: _status(objects, namespace)["components"]["predictor"]["latestCreatedRevision"] == "shelf-predictor-00002", "second")
    assert "shelf-predictor-00002" not in traffic()
    assert _ready(_status(objects, namespace)) == "Unknown"
    kserve.release("shelf")
    until(lambda: traffic() == {"shelf-predictor-00002": 10, "shelf-predictor-00001": 90}, "10 to the second")
    _apply(kubectl, namespace, "Knative", 2, canary=100)
    until(lambda: traffic() == {"shelf-predictor-00002": 100}, "all to the second")
    predictor = _status(objects, namespace)["components"]["predictor"]
    assert (predictor["latestRolledoutRevision"], predictor["previousRolledoutRevision"]) == (
        "shelf-predictor-00002",
        "shelf-predictor-00001",
    )


def test_a_revision_that_cannot_start_gets_no_traffic(
    stock_runtime: None, kubectl: Command, objects: Objects, namespace: str, kserve: KServeStandIn
) -> None:
    _apply(kubectl, namespace, "Knative", 1)
    until(lambda: _ready(_status(objects, namespace)) == "True", "ready")
    kserve.fail("shelf")
    _apply(kubectl, namespace, "Knative", 2, canary=10)
    until(lambda: _status(objects, namespace)["modelStatus"]["transitionStatus"] == "BlockedByFailedLoad", "failure")
    split = _status(objects, namespace)["components"]["predictor"]["traffic"]
    assert {each["revisionName"] for each in split} == {"shelf-predictor-00001"}


def test_what_the_api_server_refuses_is_said_in_the_status(
    stock_runtime: None, kubectl: Command, objects: Objects, namespace: str, kserve: KServeStandIn
) -> None:
    service = yaml.safe_load(SMALL.format(namespace=namespace, mode="Standard", version=1, canary=""))
    service["spec"]["predictor"]["containers"] = [{"name": "kserve-container", "image": "twice"}]
    objects.create(service)
    until(lambda: _ready(_status(objects, namespace)) == "False", "not ready")
    condition = next(each for each in _status(objects, namespace)["conditions"] if each["type"] == "PredictorReady")
    assert condition["reason"] == "ReconcileFailed"
    assert "kserve-container" in condition["message"]
