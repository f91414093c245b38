"""Targets for rollouts: an InferenceService and, in Standard mode, the HTTPRoute in front of it."""

from typing import Any

RUNTIME = {
    "apiVersion": "serving.kserve.io/v1alpha1",
    "kind": "ServingRuntime",
    "metadata": {"name": "model-server"},
    "spec": {
        "supportedModelFormats": [{"name": "tensorflow", "version": "2"}],
        "containers": [
            {
                "name": "kserve-container",
                "image": "tensorflow/serving:2.19.0",
                "ports": [{"containerPort": 8500, "protocol": "TCP"}],
                "securityContext": {"allowPrivilegeEscalation": False, "runAsNonRoot": True, "capabilities": {"drop": ["ALL"]}},
            }
        ],
    },
}
BUNDLES = "pvc://bundles"


def storage_uri(version: int) -> str:
    return f"{BUNDLES}/{version}"


def inference_service(name: str, mode: str, version: int, collection: str, **predictor: Any) -> dict[str, Any]:
    """One that serves a version of the bundle, as the chart would write it, with less in its pods.

    Args:
        predictor: fields of its predictor beside these.
    """
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {
            "name": name,
            "labels": {"endcap.dev/target": name, "endcap.dev/track": "stable", "app.kubernetes.io/managed-by": "Helm"},
            "annotations": {
                "serving.kserve.io/deploymentMode": mode,
                "endcap.dev/bundle": str(version),
                "endcap.dev/collection": collection,
                "meta.helm.sh/release-name": name,
            },
        },
        "spec": {
            "predictor": {
                "minReplicas": 1,
                "automountServiceAccountToken": False,
                "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
                "model": {
                    "modelFormat": {"name": "tensorflow", "version": "2"},
                    "runtime": RUNTIME["metadata"]["name"],  # type: ignore[index]
                    "storageUri": storage_uri(version),
                },
                **predictor,
            }
        },
    }


def http_route(name: str) -> dict[str, Any]:
    """The way in: one rule of an experiment's variant, which is nobody's business here, and the rule `traffic`."""

    def backend(service: str) -> dict[str, Any]:
        return {"group": "", "kind": "Service", "name": f"{service}-predictor", "port": 80, "weight": 100}

    everything = {"type": "PathPrefix", "value": "/"}
    header = {"type": "Exact", "name": "x-endcap-variant", "value": "green"}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": name},
        "spec": {
            "parentRefs": [{"name": "gateway"}],
            "rules": [
                {
                    "name": "variant-green",
                    "matches": [{"path": everything, "headers": [header]}],
                    "backendRefs": [backend(f"{name}-green")],
                },
                {"name": "traffic", "matches": [{"path": everything}], "backendRefs": [backend(name)]},
            ],
        },
    }
