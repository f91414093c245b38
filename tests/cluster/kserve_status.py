"""What KServe writes into an InferenceService's status, and Knative into a Knative Service's."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from tests.cluster.kserve.model_load import LoadFailure, load_failure
from tests.cluster.kserve.route_takeover import is_cluster_local
from tests.cluster.kserve.runtime_selection import InvalidSpec
from tests.cluster.kserve.settings import KServeSettings

CONDITIONS = ("IngressReady", "PredictorReady", "Ready")


def standard_status(
    service: dict[str, Any], deployment: dict[str, Any], pods: Sequence[dict[str, Any]], settings: KServeSettings
) -> dict[str, Any]:
    """Rule: from the Deployment, as its controller left it.

    Observed: "conditions PredictorReady, IngressReady, Ready, Stopped (severity Info); no `latestCreatedRevision`; `url` is
    `http://<isvc>-<namespace>.<ingress domain>` though nothing serves it, `address.url` the predictor's Service." "With maxUnavailable 0
    any scale-out makes Deployment Available False, hence Ready=False, until the new pods are ready; so does one evicted pod."
    "ReplicaSet FailedCreate, InferenceService Ready=False, reason FailedCreate".

    Kinder than the real one may be: while the Deployment is Available, Ready stays True though a rollout of it goes on; later code of
    KServe's says Unknown then (not observed).

    Args:
        pods: all there are, old and new.
    """
    seen = deployment.get("status", {})
    predictor = _predictor_ready({each["type"]: each for each in seen.get("conditions") or ()})
    is_ready = predictor["status"] == "True"
    metadata = service["metadata"]
    ingress = _condition("IngressReady", "True", "", "")
    if not (is_ready or is_cluster_local(service)):
        ingress = _condition("IngressReady", "False", "Predictor ingress not created", "")
    domain = f"{metadata['namespace']}.{settings.ingress_domain}"
    return {
        "observedGeneration": seen.get("observedGeneration", 0),
        "conditions": [ingress, predictor, {**predictor, "type": "Ready"}, _not_stopped()],
        "components": {"predictor": {"url": f"http://{metadata['name']}-predictor-{domain}"} if is_ready else {}},
        "modelStatus": _model_status(service, loaded=is_ready and bool(pods), failure=load_failure(pods, ready=is_ready), copies=len(pods)),
        "url": f"http://{metadata['name']}-{domain}",
        "address": {"url": f"http://{metadata['name']}-predictor.{metadata['namespace']}.svc.cluster.local"},
    }


def _predictor_ready(conditions: dict[str, dict[str, Any]]) -> dict[str, Any]:
    cause = conditions.get("Available", {})
    refused = conditions.get("ReplicaFailure", {})
    if refused.get("status") == "True":
        return _condition("PredictorReady", "False", refused.get("reason", ""), refused.get("message", ""))
    return _condition("PredictorReady", str(cause.get("status", "Unknown")), cause.get("reason", ""), cause.get("message", ""))


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
    failure = LoadFailure(FAILED_LOAD, 1) if ready["status"] == "False" else None
    return {
        "observedGeneration": route["observedGeneration"],
        "conditions": _conditions(ready["status"], ready.get("reason", ""), ready.get("message", "")),
        "components": {"predictor": component},
        "modelStatus": _model_status(service, loaded=ready["status"] == "True" and newest == created, failure=failure, copies=1),
        "url": f"http://{service['metadata']['name']}.{service['metadata']['namespace']}",
    }


def failed_status(service: dict[str, Any], message: str) -> dict[str, Any]:
    """KServe could not make what it should. Ingress is not come to, and stays as it was."""
    return {"conditions": [*_ingress_before(service), *_conditions("False", "ReconcileFailed", message, CONDITIONS[1:]), _not_stopped()]}


def invalid_status(service: dict[str, Any], invalid: InvalidSpec) -> dict[str, Any]:
    """Rule: no fit runtime (`runtime_selection`). Observed: "Ready Unknown/False": Unknown until something was made, False after."""
    before = service.get("status", {})
    made = any(each["type"] == "PredictorReady" and each["status"] != "Unknown" for each in before.get("conditions", ()))
    state = "False" if made else "Unknown"
    states = {"activeModelState": _active_state(service), "targetModelState": "FailedToLoad"}
    return {
        "conditions": [*_ingress_before(service), *_conditions(state, invalid.reason, str(invalid), CONDITIONS[1:]), _not_stopped()],
        "modelStatus": {
            **before.get("modelStatus", {}),
            "states": states,
            "transitionStatus": "InvalidSpec",
            "lastFailureInfo": {"reason": invalid.reason, "message": invalid.message},
        },
    }


def _ingress_before(service: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in service.get("status", {}).get("conditions", ()) if each["type"] == "IngressReady"]


def _not_stopped() -> dict[str, Any]:
    return {**_condition("Stopped", "False", "", ""), "severity": "Info"}


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
FAILED_LOAD = "the model could not be loaded"


def _model_status(service: dict[str, Any], loaded: bool, failure: LoadFailure | None, copies: int) -> dict[str, Any]:
    before = _active_state(service)
    if failure is not None:
        states, transition = {"activeModelState": before, "targetModelState": "FailedToLoad"}, "BlockedByFailedLoad"
    elif loaded:
        states, transition = {"activeModelState": "Loaded", "targetModelState": "Loaded"}, "UpToDate"
    else:
        states, transition = {"activeModelState": before, "targetModelState": "Pending"}, "InProgress"
    status: dict[str, Any] = {"copies": {"totalCopies": copies, "failedCopies": 0}, "states": states, "transitionStatus": transition}
    # The last failure stays when it is over, as in KServe.
    if "lastFailureInfo" in service.get("status", {}).get("modelStatus", {}):
        status["lastFailureInfo"] = service["status"]["modelStatus"]["lastFailureInfo"]
    if failure is not None:
        status["lastFailureInfo"] = {"reason": "ModelLoadFailed", "message": failure.message, "exitCode": failure.exit_code}
    return status


def _active_state(service: dict[str, Any]) -> str:
    return str(service.get("status", {}).get("modelStatus", {}).get("states", {}).get("activeModelState", ""))


def _conditions(status: str, reason: str, message: str, names: Sequence[str] = CONDITIONS) -> list[dict[str, Any]]:
    return [_condition(each, status, reason, message) for each in names]


def _condition(name: str, status: str, reason: str, message: str) -> dict[str, Any]:
    explained = {} if status == "True" else {key: value for key, value in (("reason", reason), ("message", message)) if value}
    return {"type": name, "status": status, "lastTransitionTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), **explained}
