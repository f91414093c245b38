"""Rule: what a reconcile ends with is an Event of the InferenceService.

Observed: "At each first install it errs until the ServingRuntime is there (`No ServingRuntimes or ClusterServingRuntimes with the name
...`, Warning InternalError) and heals by back-off."

Kinder than the real one: the same message is recorded once, without a count.
"""

import hashlib
from datetime import UTC, datetime
from typing import Any

from tests.cluster.rest import Objects

REASON = "InternalError"


def record(objects: Objects, service: dict[str, Any], message: str) -> None:
    """Make the Event unless it is there."""
    from kubernetes.client.rest import ApiException

    metadata = service["metadata"]
    involved = {field: metadata[field] for field in ("name", "namespace", "uid")}
    moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    digest = hashlib.sha256(message.encode()).hexdigest()[:16]
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{metadata['name']}.{digest}", "namespace": metadata["namespace"]},
        "involvedObject": {"apiVersion": service["apiVersion"], "kind": service["kind"], **involved},
        "type": "Warning",
        "reason": REASON,
        "message": message,
        "source": {"component": "v1beta1Controllers"},
        "count": 1,
        "firstTimestamp": moment,
        "lastTimestamp": moment,
    }
    try:
        objects.create(event)
    except ApiException as present:
        if present.status != 409:
            raise
