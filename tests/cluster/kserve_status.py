"""What KServe writes into an InferenceService's status, and Knative into a Knative Service's."""

from datetime import UTC, datetime
from typing import Any

CONDITIONS = ("IngressReady", "PredictorReady", "Ready")


def standard_status(service: dict[str, Any], deployment: dict[str, Any], pods: int, failed: bool) -> dict[str, Any]:
    """From the Deployment, as its controller left it.

    Args:
        pods: all there are, old and new.
        failed: new pods cannot load their model.
    """
    seen = deployment.get("status", {})
    available = next((each for each in seen.get("conditions") or () if each["type"] == "Available"), {})
    ready = str(available.get("status", "Unknown"))
    metadata = service["metadata"]
    revision = deployment["metadata"].get("annotations", {}).get("deployment.kubernetes.io/revision")
    return {
        "observedGeneration": seen.get("observedGeneration", 0),
        "conditions": _conditions(ready, available.get("reason", ""), available.get("message", "")),
        "components": {"predictor": {"latestCreatedRevision": revision} if revision else {}},
        "modelStatus": _model_status(service, loaded=ready == "True" and pods > 0, failed=failed and ready != "True", copies=pods),
        "url": f"http://{metadata['name']}-predictor.{metadata['namespace']}",
    }


def knative_status(service: dict[str, Any], route: dict[str, Any]) -> dict[str, Any]:
    """From the Knative Service's status.

    Which revision counts as rolled out is KServe's rule: one that is ready and has all traffic by itself; when its share is taken
    back while it is the newest, the one before counts again.
    """
    component = dict(service.get("status", {}).get("components", {}).get("predictor", {}))
    newest, created = route["latestReadyRevisionName"], route["latestCreatedRevisionName"]
    shares: dict[str, int] = {}
    for each in route["traffic"]:
        shares[each["revisionName"]] = shares.get(each["revisionName"], 0) + each["percent"]
    for each in route["traffic"]:
        if each["revisionName"] != newest or not each["latestRevision"]:
            continue
        if component.get("latestRolledoutRevision") != newest:
            if each["percent"] == 100:
                component["previousRolledoutRevision"] = component.get("latestRolledoutRevision", "")
                component["latestRolledoutRevision"] = newest
        elif newest == created and each["percent"] < 100 and shares[newest] == 100 and component.get("previousRolledoutRevision"):
            component["latestRolledoutRevision"] = component["previousRolledoutRevision"]
    component |= {"latestCreatedRevision": created, "latestReadyRevision": newest, "traffic": route["traffic"]}
    by_type = {each["type"]: each for each in route["conditions"]}
    ready = by_type["Ready"]
    failed = ready["status"] == "False"
    return {
        "observedGeneration": route["observedGeneration"],
        "conditions": _conditions(ready["status"], ready.get("reason", ""), ready.get("message", "")),
        "components": {"predictor": component},
        "modelStatus": _model_status(service, loaded=ready["status"] == "True" and newest == created, failed=failed, copies=1),
        "url": f"http://{service['metadata']['name']}.{service['metadata']['namespace']}",
    }


def failed_status(message: str) -> dict[str, Any]:
    """KServe could not make what it should."""
    return {"conditions": _conditions("False", "ReconcileFailed", message)}


def routed(found: dict[str, Any], template: str, ready: bool, lost: bool, failed: bool) -> dict[str, Any]:
    """The status of a Knative Service: a new template is a new revision, which gets traffic once it is ready.

    Args:
        template: digest of the template the service has now.
        ready: revisions become ready.
        lost: the ready ones are ready no more.
        failed: a new revision cannot start.
    """
    before = found.get("status", {})
    created, known = before.get("latestCreatedRevisionName", ""), before.get("annotations", {}).get(TEMPLATE_ANNOTATION)
    if known != template:
        number = int(created.rpartition("-")[2] or 0) + 1
        created = f"{found['metadata']['name']}-{number:05d}"
    newest = created if ready else before.get("latestReadyRevisionName", "")
    traffic = [
        {**each, "revisionName": each.get("revisionName", newest), "latestRevision": bool(each.get("latestRevision"))}
        for each in found["spec"]["traffic"]
        if each.get("revisionName") or newest
    ]
    state = "False" if lost or (failed and newest != created) else "True" if newest == created else "Unknown"
    reason = {"False": "RevisionFailed", "True": "", "Unknown": "Deploying"}[state]
    return {
        "observedGeneration": found["metadata"]["generation"],
        "annotations": {TEMPLATE_ANNOTATION: template},
        "latestCreatedRevisionName": created,
        "latestReadyRevisionName": newest,
        "traffic": traffic,
        "conditions": [_condition(each, state, reason, "") for each in ("ConfigurationsReady", "Ready", "RoutesReady")],
    }


TEMPLATE_ANNOTATION = "endcap.dev/template"


def _model_status(service: dict[str, Any], loaded: bool, failed: bool, copies: int) -> dict[str, Any]:
    before = service.get("status", {}).get("modelStatus", {}).get("states", {}).get("activeModelState", "")
    if loaded:
        states, transition = {"activeModelState": "Loaded", "targetModelState": "Loaded"}, "UpToDate"
    elif failed:
        states, transition = {"activeModelState": before, "targetModelState": "FailedToLoad"}, "BlockedByFailedLoad"
    else:
        states, transition = {"activeModelState": before, "targetModelState": "Pending"}, "InProgress"
    status: dict[str, Any] = {"copies": {"totalCopies": copies, "failedCopies": 0}, "states": states, "transitionStatus": transition}
    if failed:
        status["lastFailureInfo"] = {"reason": "ModelLoadFailed", "message": "the model could not be loaded", "exitCode": 1}
    return status


def _conditions(status: str, reason: str, message: str) -> list[dict[str, Any]]:
    return [_condition(each, status, reason, message) for each in CONDITIONS]


def _condition(name: str, status: str, reason: str, message: str) -> dict[str, Any]:
    told = {} if status == "True" else {key: value for key, value in (("reason", reason), ("message", message)) if value}
    return {"type": name, "status": status, "lastTransitionTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), **told}
