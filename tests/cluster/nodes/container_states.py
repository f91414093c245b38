"""Container statuses as a kubelet writes them."""

from datetime import datetime

from tests.cluster.nodes.node_api import Document


def moment(at: datetime) -> str:
    """A time as Kubernetes writes it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def waiting(container: Document, reason: str, message: str = "", restarts: int = 0) -> Document:
    state = {"waiting": {"reason": reason, **({"message": message} if message else {})}}
    return {**_base(container, restarts), "ready": False, "started": False, "state": state}


def running(container: Document, since: datetime, ready: bool, restarts: int = 0) -> Document:
    return {**_base(container, restarts), "ready": ready, "started": True, "state": {"running": {"startedAt": moment(since)}}}


def terminated(container: Document, since: datetime, at: datetime, code: int, *, message: str = "", restarts: int = 0) -> Document:
    ended = {
        "exitCode": code,
        "reason": "Error" if code else "Completed",
        "startedAt": moment(since),
        "finishedAt": moment(at),
        **({"message": message} if message else {}),
    }
    return {**_base(container, restarts), "ready": False, "started": False, "state": {"terminated": ended}}


def condition(name: str, holds: bool, at: datetime, reason: str = "") -> Document:
    """A condition of a pod."""
    return {"type": name, "status": str(holds), "lastTransitionTime": moment(at), "reason": reason or None}


def _base(container: Document, restarts: int) -> Document:
    image = container["image"]
    return {"name": container["name"], "image": image, "imageID": image, "restartCount": restarts, "lastState": {}}
