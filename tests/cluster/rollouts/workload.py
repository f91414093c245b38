"""What is below an InferenceService in Standard mode: its Deployment and pods, as an autoscaler, an eviction or a kubelet change them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from tests.cluster.rollouts.scene import Scene
from tests.waiting import until

READY = ("Initialized", "ContainersReady", "Ready")


class Workload:
    """Of one InferenceService.

    Args:
        name: of the InferenceService.
    """

    def __init__(self, scene: Scene, api_client: Any, name: str) -> None:
        from kubernetes import client

        self._scene = scene
        self._apps = client.AppsV1Api(api_client)
        self._core = client.CoreV1Api(api_client)
        self._name = name

    def scale(self, replicas: int) -> None:
        """As an autoscaler under load does."""
        self._apps.patch_namespaced_deployment_scale(f"{self._name}-predictor", self._scene.namespace, {"spec": {"replicas": replicas}})

    def deployment(self) -> Any:
        return self._apps.read_namespaced_deployment(f"{self._name}-predictor", self._scene.namespace)

    def available(self) -> int:
        return int(self.deployment().status.available_replicas or 0)

    def until_available(self, number: int) -> None:
        until(lambda: self.available() == number, f"{number} available pods of {self._name}")

    def pods(self) -> list[Any]:
        """Oldest first; those that are about to go are left out."""
        label = f"serving.kserve.io/inferenceservice={self._name}"
        found = self._core.list_namespaced_pod(self._scene.namespace, label_selector=label).items
        kept = [pod for pod in found if pod.metadata.deletion_timestamp is None]
        return sorted(kept, key=lambda pod: (pod.metadata.creation_timestamp, pod.metadata.name))

    def lose_one(self) -> None:
        """As when a pod is evicted."""
        self._core.delete_namespaced_pod(self.pods()[0].metadata.name, self._scene.namespace, grace_period_seconds=0)

    def make_ready(self, pod: Any) -> None:
        """One pod alone, while the stand-in holds the others."""
        moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        conditions = [{"type": each, "status": "True", "lastTransitionTime": moment} for each in READY]
        status = {"phase": "Running", "conditions": conditions}
        self._core.patch_namespaced_pod_status(pod.metadata.name, self._scene.namespace, {"status": status})

    def is_ready(self) -> bool | None:
        """The InferenceService's condition Ready; None while KServe has not said."""
        document = self._scene.service(self._name)
        conditions = (document or {}).get("status", {}).get("conditions", ())
        found = next((each["status"] for each in conditions if each["type"] == "Ready"), None)
        return {"True": True, "False": False}.get(str(found))

    def until_not_ready(self) -> None:
        until(lambda: self.is_ready() is False, f"KServe to say that {self._name} is not ready")

    def autoscaler_minimum(self) -> int:
        from kubernetes import client

        scaling = client.AutoscalingV2Api(self._apps.api_client)
        return int(scaling.read_namespaced_horizontal_pod_autoscaler(f"{self._name}-predictor", self._scene.namespace).spec.min_replicas)


@contextmanager
def workloads(scene: Scene, *names: str) -> Iterator[list[Workload]]:
    """Of these InferenceServices, with a connection of their own."""
    with scene.cluster.api_client() as api_client:
        yield [Workload(scene, api_client, name) for name in names]


@contextmanager
def refusing(scene: Scene, target: str, why: str) -> Iterator[None]:
    """Nobody may change the target's HTTPRoute, by an admission policy of its own."""
    from kubernetes import client

    meta = {"name": f"refuse-{target}"}
    match = {
        "resourceRules": [
            {"apiGroups": ["gateway.networking.k8s.io"], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["httproutes"]}
        ],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": scene.namespace}},
    }
    conditions = [{"name": "target", "expression": f"object.metadata.name == '{target}'"}]
    spec = {"matchConstraints": match, "matchConditions": conditions, "validations": [{"expression": "false", "message": why}]}
    with scene.cluster.api_client() as api_client:
        admission = client.AdmissionregistrationV1Api(api_client)
        admission.create_validating_admission_policy({"metadata": meta, "spec": {**spec, "failurePolicy": "Fail"}})
        admission.create_validating_admission_policy_binding(
            {"metadata": meta, "spec": {"policyName": meta["name"], "validationActions": ["Deny"]}}
        )
        try:
            until(lambda: _is_refused(scene, api_client, target), "the policy's first refusal")
            yield
        finally:
            admission.delete_validating_admission_policy_binding(meta["name"])
            admission.delete_validating_admission_policy(meta["name"])


def _is_refused(scene: Scene, api_client: Any, target: str) -> bool:
    from kubernetes import client
    from kubernetes.client.rest import ApiException

    labels = {"metadata": {"labels": {"tried": "1"}}}
    where = ("gateway.networking.k8s.io", "v1", scene.namespace, "httproutes", target)
    try:
        client.CustomObjectsApi(api_client).patch_namespaced_custom_object(*where, labels, dry_run="All")
    except ApiException as refused:
        return "denied" in json.loads(refused.body)["message"]
    return False
