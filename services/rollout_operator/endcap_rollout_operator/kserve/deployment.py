"""What KServe's Deployment of an InferenceService says about its pods.

The InferenceService's own condition Ready follows the Deployment's Available, which is False for as long as any pod that it wants is
starting: in each scale-out, and after each eviction. Here pods are counted instead.
"""

from collections.abc import Mapping
from typing import Any

from endcap_rollout_operator.kserve.inference_service import SOURCE_ANNOTATION


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
