"""What KServe says about the loading of a model, in `status.modelStatus`."""

from collections.abc import Mapping, Sequence
from typing import Any

LOAD_FAILED = "BlockedByFailedLoad"
"""KServe looked at a pod whose storage initializer or model container ended with an error."""
INVALID = "InvalidSpec"
"""No runtime for it, or one that does not fit: heals when the ServingRuntime comes, as at a first install."""
MODEL_CONTAINER = "kserve-container"


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
