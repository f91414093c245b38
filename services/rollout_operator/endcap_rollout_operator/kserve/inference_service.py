"""What an InferenceService says about the bundle it serves, and about the loading of its model."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from endcap.contracts.rollout import BUNDLE_ANNOTATION, COLLECTION_ANNOTATION, RolloutBundle, Served
from endcap_rollout_operator.state.observed_state import Absent, Mode

MODE_ANNOTATION = "serving.kserve.io/deploymentMode"
STORAGE_URI = "/spec/predictor/model/storageUri"
SOURCE_ANNOTATION = "internal.serving.kserve.io/storage-initializer-sourceuri"
"""What KServe writes on pod templates: the storage address they are made for."""
SERVICE_LABEL = "serving.kserve.io/inferenceservice"
"""On pods: the InferenceService they are of."""
LOAD_FAILED = "BlockedByFailedLoad"
"""KServe looked at a pod whose storage initializer or model container ended with an error."""
INVALID = "InvalidSpec"
"""No runtime for it, or one that does not fit: heals when the ServingRuntime comes, as at a first install."""
MODEL_CONTAINER = "kserve-container"
_OF_ROLLOUT = ("canaryTrafficPercent", "minReplicas")
_MODES: dict[str, Mode] = {"Standard": "Standard", "RawDeployment": "Standard", "Knative": "Knative", "Serverless": "Knative"}


def served_by(document: Mapping[str, Any]) -> Served:
    """The bundle its spec names."""
    annotations = document["metadata"].get("annotations", {})
    version = annotations.get(BUNDLE_ANNOTATION, "")
    return Served(
        version=int(version) if version.isdigit() else None,
        storage_uri=document["spec"]["predictor"]["model"]["storageUri"],
        collection=annotations.get(COLLECTION_ANNOTATION),
    )


def mode_of(document: Mapping[str, Any]) -> Mode | None:
    """How KServe runs it; None while KServe has not said and the InferenceService does not ask for one."""
    requested = document["metadata"].get("annotations", {}).get(MODE_ANNOTATION)
    return _MODES.get(requested or document.get("status", {}).get("deploymentMode", ""))


def absent(document: Mapping[str, Any] | None, name: str) -> Absent | None:
    """Why there is nothing to work on; None when there is."""
    if document is None or "deletionTimestamp" in document["metadata"]:
        return Absent("TargetMissing", f"there is no InferenceService {name}", is_gone=True)
    if not document["spec"].get("predictor", {}).get("model", {}).get("storageUri"):
        message = f"InferenceService {name} has no spec.predictor.model.storageUri"
        return Absent("TargetUnfit", message, is_gone=False)
    return None


def is_ready(document: Mapping[str, Any]) -> bool:
    condition = _ready(document)
    return condition.get("status") == "True" and "deletionTimestamp" not in document["metadata"]


def unready_message(document: Mapping[str, Any]) -> str:
    """Why it is not ready, for people."""
    condition = _ready(document)
    return str(condition.get("message") or condition.get("reason") or "KServe has not looked at it yet")


def fingerprint(document: Mapping[str, Any]) -> str:
    """Of its predictor without bundle, weight and `minReplicas`: what a rollout does not change itself."""
    predictor = {name: value for name, value in document["spec"]["predictor"].items() if name not in _OF_ROLLOUT}
    predictor["model"] = {name: value for name, value in predictor["model"].items() if name != "storageUri"}
    return hashlib.sha256(json.dumps(predictor, sort_keys=True).encode()).hexdigest()[:16]


def bundle_patch(document: Mapping[str, Any], bundle: RolloutBundle | Served) -> list[dict[str, Any]]:
    """JSON patch that makes it serve a bundle: address and annotations in one change, so that pods start once.

    It holds only while the InferenceService still names the bundle that it had when it was read.
    """
    present = document["metadata"].get("annotations")
    wanted = {BUNDLE_ANNOTATION: str(bundle.version) if bundle.version is not None else None, COLLECTION_ANNOTATION: bundle.collection}
    operations: list[dict[str, Any]] = [{"op": "test", "path": STORAGE_URI, "value": served_by(document).storage_uri}]
    operations += [] if present is not None else [{"op": "add", "path": "/metadata/annotations", "value": {}}]
    for name, value in wanted.items():
        path = f"/metadata/annotations/{name.replace('/', '~1')}"
        if value is not None:
            operations.append({"op": "add", "path": path, "value": value})
        elif name in (present or {}):
            operations.append({"op": "remove", "path": path})
    return [*operations, {"op": "replace", "path": STORAGE_URI, "value": bundle.storage_uri}]


def load_failure(document: Mapping[str, Any]) -> str | None:
    """Why the model was not loaded, for people; None when no load failed."""
    return _failure(document, LOAD_FAILED)


def spec_failure(document: Mapping[str, Any]) -> str | None:
    """Why KServe does not try to load it; None when it does."""
    return _failure(document, INVALID)


def model_restarts(pods: Sequence[Mapping[str, Any]]) -> int:
    """How often the model container was started again, in the pod where that happened most often."""
    statuses = [each for pod in pods for each in pod.get("status", {}).get("containerStatuses") or ()]
    return max((each.get("restartCount", 0) for each in statuses if each["name"] == MODEL_CONTAINER), default=0)


def _failure(document: Mapping[str, Any], transition: str) -> str | None:
    status = document.get("status", {}).get("modelStatus", {})
    if status.get("transitionStatus") != transition:
        return None
    failure = status.get("lastFailureInfo", {})
    parts = [str(failure[each]) for each in ("reason", "message") if failure.get(each)]
    exit_code = f" (exit code {failure['exitCode']})" if failure.get("exitCode") else ""
    return f"{': '.join(parts) or transition}{exit_code}"


def _ready(document: Mapping[str, Any]) -> Mapping[str, Any]:
    conditions = document.get("status", {}).get("conditions", ())
    return next((each for each in conditions if each["type"] == "Ready"), {})
