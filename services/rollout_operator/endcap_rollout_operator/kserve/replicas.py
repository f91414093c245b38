"""Pods of an InferenceService in Standard mode: how many its spec wants, and how many its Deployment has.

All autoscalers that KServe makes follow `minReplicas`, and without one it is the number of pods. It is written as a field manager of its
own, so that the field can be given up without giving up the bundle: as long as this manager has it, the value is the operator's.

The InferenceService's own condition Ready follows the Deployment's Available, which is False for as long as any pod that it wants is
starting: in each scale-out, and after each eviction. Here pods are counted instead.
"""

from collections.abc import Mapping
from typing import Any

from endcap_rollout_operator.kserve.inference_service import SOURCE_ANNOTATION
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


def available_pods(deployment: Mapping[str, Any] | None) -> int:
    """Pods that take traffic, whichever bundle they serve."""
    return int(deployment.get("status", {}).get("availableReplicas", 0)) if deployment is not None else 0


def is_made_for(deployment: Mapping[str, Any] | None, storage_uri: str) -> bool:
    """Whether new pods serve the bundle at this address."""
    if deployment is None:
        return False
    annotations = deployment["spec"]["template"]["metadata"].get("annotations", {})
    return bool(annotations.get(SOURCE_ANNOTATION) == storage_uri)


def unsettled(deployment: Mapping[str, Any] | None, storage_uri: str, needed: int) -> str | None:
    """What keeps it from serving the bundle at this address with every pod and with enough of them; None when it does."""
    if deployment is None:
        return "KServe has not made its Deployment"
    if not is_made_for(deployment, storage_uri):
        return "KServe has not taken its spec over"
    status = deployment.get("status", {})
    if status.get("observedGeneration", 0) < deployment["metadata"]["generation"]:
        return "its Deployment is looked at"
    updated, available = status.get("updatedReplicas", 0), available_pods(deployment)
    old = status.get("replicas", 0) - updated
    if old == 0 and available >= needed:
        return None
    problem = replica_failure(deployment)
    return f"{updated} pods are new, {old} old, {available} available of {needed} needed{f'; {problem}' if problem else ''}"


def replica_failure(deployment: Mapping[str, Any] | None) -> str | None:
    """Why it cannot make pods, such as a quota, Pod Security or a storage secret that is missing; None when it can."""
    conditions = deployment.get("status", {}).get("conditions", ()) if deployment is not None else ()
    failure = next((each for each in conditions if each["type"] == "ReplicaFailure" and each["status"] == "True"), None)
    return f"no pods can be made: {failure.get('message') or failure.get('reason')}" if failure is not None else None
