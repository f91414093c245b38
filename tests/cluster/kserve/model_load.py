"""Rule: a model that cannot be loaded is told from the containers of its pods.

Observed: "a load that fails: `BlockedByFailedLoad` with the failure's message." Read in KServe's code: a storage initializer that ended
with an error counts at once; `kserve-container` counts only while the InferenceService is not Ready, so that a rolling update that keeps
its old pods goes on looking loaded. The failure stays in `lastFailureInfo` after it is over; `transitionStatus` says whether it is.

Stricter than the real one: each pod is looked at, where KServe looks at the first of its list.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

INITIALIZER, PREDICTOR = "storage-initializer", "kserve-container"


@dataclass(frozen=True)
class LoadFailure:
    """What a container ended with."""

    message: str
    exit_code: int


def load_failure(pods: Iterable[dict[str, Any]], ready: bool) -> LoadFailure | None:
    """Of the pods of one InferenceService, None where none has failed.

    Args:
        ready: whether the InferenceService is Ready.
    """
    for pod in pods:
        status = pod.get("status", {})
        if "deletionTimestamp" in pod["metadata"]:
            continue
        failed = _failure(status.get("initContainerStatuses"), INITIALIZER)
        if failed is None and not ready:
            failed = _failure(status.get("containerStatuses"), PREDICTOR)
        if failed is not None:
            return failed
    return None


def _failure(statuses: list[dict[str, Any]] | None, name: str) -> LoadFailure | None:
    for each in statuses or ():
        if each["name"] != name:
            continue
        ended = each.get("state", {}).get("terminated")
        if ended and ended.get("reason") != "Error":
            ended = None
        if each.get("state", {}).get("waiting", {}).get("reason") == "CrashLoopBackOff":
            ended = each.get("lastState", {}).get("terminated")
        if ended:
            return LoadFailure(ended.get("message", ""), ended.get("exitCode", 1))
    return None


def crashed(pod: dict[str, Any], message: str) -> list[dict[str, Any]]:
    """`containerStatuses` of a pod whose model server fails again and again, as a kubelet writes them."""
    image = next(each["image"] for each in pod["spec"]["containers"] if each["name"] == PREDICTOR)
    ended = {"terminated": {"exitCode": 1, "reason": "Error", "message": message}}
    return [
        {
            "name": PREDICTOR,
            "image": image,
            "imageID": "",
            "ready": False,
            "started": False,
            "restartCount": 2,
            "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 20s restarting failed container"}},
            "lastState": ended,
        }
    ]
