"""Objects as the API server keeps them, small."""

from copy import deepcopy
from typing import Any

STABLE: dict[str, Any] = {
    "apiVersion": "serving.kserve.io/v1beta1",
    "kind": "InferenceService",
    "metadata": {
        "name": "endcap",
        "resourceVersion": "7",
        "labels": {"endcap.dev/track": "stable", "app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/name": "endcap"},
        "annotations": {
            "serving.kserve.io/deploymentMode": "Standard",
            "endcap.dev/bundle": "1",
            "endcap.dev/collection": "endcap_1",
            "meta.helm.sh/release-name": "endcap",
            "kubectl.kubernetes.io/last-applied-configuration": "{}",
        },
    },
    "spec": {
        "predictor": {
            "minReplicas": 2,
            "model": {"runtime": "endcap-tensorflow-serving", "storageUri": "pvc://bundles/1"},
            "containers": [{"name": "transformer-container", "image": "endcap/transformer:1"}],
        }
    },
}


def stable(**predictor: Any) -> dict[str, Any]:
    """The target, with other fields of its predictor."""
    document = deepcopy(STABLE)
    document["spec"]["predictor"] |= predictor
    return document


def backend(name: str, weight: int | None = 100) -> dict[str, Any]:
    return {"name": name, "port": 80, "timeout": "2s", **({"weight": weight} if weight is not None else {})}


def route(*backends: dict[str, Any]) -> dict[str, Any]:
    variant = {"name": "variant-green", "backendRefs": [backend("endcap-green-predictor")]}
    return {"metadata": {"resourceVersion": "3"}, "spec": {"rules": [variant, {"name": "traffic", "backendRefs": list(backends)}]}}
