"""Small InferenceServices for tests of single rules, reconciled when a test says so."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.cluster.command import Command
from tests.cluster.kserve_standin import KSERVE, PASSING, KServeStandIn
from tests.cluster.rest import Objects
from tests.waiting import until

RUNTIMES = "serving.kserve.io/v1alpha1"
RESTRICTED = {"allowPrivilegeEscalation": False, "runAsNonRoot": True, "capabilities": {"drop": ["ALL"]}}
POD_SECURITY = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
ALL_AVAILABLE = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}


def runtime(name: str = "model-server", **spec: Any) -> dict[str, Any]:
    """A ServingRuntime of one container."""
    container = {"name": "kserve-container", "image": "model-server", "securityContext": RESTRICTED}
    formats = [{"name": "tensorflow", "version": "2"}]
    return {
        "apiVersion": RUNTIMES,
        "kind": "ServingRuntime",
        "metadata": {"name": name},
        "spec": {"supportedModelFormats": formats, "containers": [container], **spec},
    }


@dataclass
class Service:
    """What a test says of an InferenceService."""

    name: str
    mode: str = "Standard"
    annotations: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    predictor: dict[str, Any] = field(default_factory=dict)
    model: dict[str, Any] = field(default_factory=dict)

    def document(self, namespace: str) -> dict[str, Any]:
        model = {"modelFormat": {"name": "tensorflow", "version": "2"}, "runtime": "model-server", "storageUri": "pvc://bundles/1"}
        annotations = {"serving.kserve.io/deploymentMode": self.mode, **self.annotations}
        return {
            "apiVersion": KSERVE,
            "kind": "InferenceService",
            "metadata": {"name": self.name, "namespace": namespace, "annotations": annotations, "labels": self.labels},
            "spec": {
                "predictor": {
                    "minReplicas": 1,
                    **({"securityContext": POD_SECURITY, "deploymentStrategy": ALL_AVAILABLE} if self.mode == "Standard" else {}),
                    **self.predictor,
                    "model": {**model, **self.model},
                }
            },
        }


class Shelf:
    """A namespace with KServe's stand-in, which looks when it is told to.

    Args:
        stand_in: not started.
    """

    def __init__(self, objects: Objects, stand_in: KServeStandIn, kubectl: Command, namespace: str) -> None:
        self.objects, self.stand_in, self.kubectl = objects, stand_in, kubectl
        self.namespace = namespace

    def apply(self, service: Service) -> dict[str, Any]:
        return self.objects.apply(service.document(self.namespace))

    def apply_runtime(self, content: dict[str, Any]) -> None:
        self.objects.apply({**content, "metadata": {**content["metadata"], "namespace": self.namespace}})

    def reconcile(self) -> None:
        """Look once; once more where something was written meanwhile, as the stand-in's own thread would."""
        from kubernetes.client.rest import ApiException

        try:
            self.stand_in.reconcile()
        except ApiException as refused:
            if refused.status not in PASSING:
                raise
            self.stand_in.reconcile()

    def until(self, holds: Callable[[], Any], what: str) -> Any:
        """Reconcile until it holds."""

        def seen() -> Any:
            self.reconcile()
            return holds()

        return until(seen, what)

    def status(self, name: str) -> dict[str, Any]:
        return dict(self.objects.get(KSERVE, "InferenceService", self.namespace, name).get("status", {}))

    def condition(self, name: str, which: str = "Ready") -> dict[str, Any]:
        return next((each for each in self.status(name).get("conditions", []) if each["type"] == which), {"status": "Unknown"})

    def is_ready(self, name: str) -> bool:
        return bool(self.condition(name)["status"] == "True")

    def deployment(self, name: str) -> dict[str, Any]:
        return self.objects.get("apps/v1", "Deployment", self.namespace, f"{name}-predictor")

    def replica_sets(self, name: str) -> list[dict[str, Any]]:
        found = self.objects.list_all("apps/v1", "ReplicaSet", self.namespace)
        return [each for each in found if each["metadata"]["ownerReferences"][0]["name"] == f"{name}-predictor"]

    def scale(self, name: str, replicas: int) -> None:
        self.kubectl("scale", f"deployment/{name}-predictor", f"--replicas={replicas}", "--namespace", self.namespace)
