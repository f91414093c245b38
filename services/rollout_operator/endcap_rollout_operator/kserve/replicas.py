"""`minReplicas` of an InferenceService: all autoscalers that KServe makes follow it, and without one it is the number of pods.

It is written as a field manager of its own, so that the field can be given up without giving up the bundle: as long as this manager
has it, the value is the operator's.
"""

from collections.abc import Mapping
from typing import Any

from endcap_rollout_operator.state.observed_state import Pods

REPLICAS_MANAGER = "endcap-rollout-replicas"
MIN_REPLICAS = "/spec/predictor/minReplicas"


def pods_of(document: Mapping[str, Any], available: int) -> Pods:
    predictor = document["spec"]["predictor"]
    return Pods(
        available=available,
        min_replicas=predictor.get("minReplicas"),
        max_replicas=predictor.get("maxReplicas") or None,  # KServe reads 0 as none
        is_held=is_held(document),
    )


def is_held(document: Mapping[str, Any]) -> bool:
    """Whether the operator wrote its `minReplicas`, and no other value was written since."""
    for entry in document["metadata"].get("managedFields", ()):
        predictor = entry.get("fieldsV1", {}).get("f:spec", {}).get("f:predictor", {})
        if entry.get("manager") == REPLICAS_MANAGER and "f:minReplicas" in predictor:
            return True
    return False


def replicas_patch(document: Mapping[str, Any], replicas: int | None) -> list[dict[str, Any]]:
    """JSON patch to another number, or to none, if the present one still is what was read; empty when it is there already."""
    present = document["spec"]["predictor"].get("minReplicas")
    if present == replicas:
        return []
    if present is not None:
        test = {"op": "test", "path": MIN_REPLICAS, "value": present}
    else:  # that a field is not there cannot be tested
        test = {"op": "test", "path": "/metadata/resourceVersion", "value": document["metadata"]["resourceVersion"]}
    change = {"op": "remove", "path": MIN_REPLICAS} if replicas is None else {"op": "add", "path": MIN_REPLICAS, "value": replicas}
    return [test, change]
