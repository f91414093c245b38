"""Rule: the webhook on pods brings the bundle into them.

Observed: "Webhook on pods ("pod-mutator"): injects the init container `storage-initializer` and mounts `/mnt/models` read-only into BOTH
containers; a storage secret that is missing means that NO pod is made (ReplicaSet FailedCreate, InferenceService Ready=False, reason
FailedCreate), not that pods wait in Init. The injected container has no `seccompProfile` of its own: `restricted` accepts it only when
the pod has one." "`pvc://` needs neither." "`storageUri` becomes an annotation; the storage initializer is injected when the pod is
created."

Pod security is judged by the API server itself, after its mutating webhooks.
Kinder than the real one: the secret's keys are not turned into environment, CA bundles and storage containers other than `default` are
left out.
"""

import copy
from collections.abc import Callable, Mapping
from typing import Any

CONTAINERS = ("kserve-container", "transformer-container")
SOURCE_ANNOTATION = "internal.serving.kserve.io/storage-initializer-sourceuri"
INITIALIZER = "storage-initializer"
MODELS = "/mnt/models"
PROVISIONED, CLAIMED = "kserve-provision-location", "kserve-pvc-source"
RESOURCES = {"requests": {"cpu": "100m", "memory": "100Mi"}, "limits": {"cpu": "1", "memory": "1Gi"}}
Lookup = Callable[[str], dict[str, Any] | None]
"""Finds an object of the pod's namespace by its name."""


class StorageRefused(Exception):
    """The pod cannot have its bundle, so it is not made; the message is KServe's."""


def with_bundle(pod: dict[str, Any], account: Lookup, secret: Lookup, security: Mapping[str, Any]) -> dict[str, Any]:
    """The pod with its bundle in it; the same one where it names none.

    Args:
        account: finds ServiceAccounts.
        secret: finds Secrets.
        security: `securityContext` of the storage initializer.

    Raises:
        StorageRefused: no `kserve-container`, or a secret of the ServiceAccount's that is not there.
    """
    source = (pod["metadata"].get("annotations") or {}).get(SOURCE_ANNOTATION)
    if source is None or any(each["name"] == INITIALIZER for each in pod["spec"].get("initContainers") or ()):
        return pod
    changed = copy.deepcopy(pod)
    spec = changed["spec"]
    if CONTAINERS[0] not in {each["name"] for each in spec["containers"]}:
        raise StorageRefused("Invalid configuration: cannot find container")
    if source.startswith("pvc://"):
        _mount_claim(spec, source)
        return changed
    _require_secrets(spec.get("serviceAccountName", "default"), account, secret)
    _inject(spec, source, security)
    return changed


def _mount_claim(spec: dict[str, Any], source: str) -> None:
    claim, _, path = source.removeprefix("pvc://").partition("/")
    _add(spec, "volumes", {"name": CLAIMED, "persistentVolumeClaim": {"claimName": claim}})
    mount = {"name": CLAIMED, "mountPath": MODELS, "readOnly": True, **({"subPath": path} if path else {})}
    _mount(spec, mount)


def _inject(spec: dict[str, Any], source: str, security: Mapping[str, Any]) -> None:
    _add(spec, "volumes", {"name": PROVISIONED, "emptyDir": {}})
    initializer = {
        "name": INITIALIZER,
        "image": "kserve/storage-initializer:latest",
        "args": [source, MODELS],
        "resources": RESOURCES,
        "securityContext": dict(security),
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [{"name": PROVISIONED, "mountPath": MODELS}],
    }
    _add(spec, "initContainers", initializer)
    _mount(spec, {"name": PROVISIONED, "mountPath": MODELS, "readOnly": True})


def _require_secrets(name: str, account: Lookup, secret: Lookup) -> None:
    for reference in (account(name) or {}).get("secrets") or ():
        if secret(reference["name"]) is None:
            raise StorageRefused(f'secrets "{reference["name"]}" not found')


def _mount(spec: dict[str, Any], mount: dict[str, Any]) -> None:
    for container in spec["containers"]:
        if container["name"] in CONTAINERS:
            _add(container, "volumeMounts", dict(mount))


def _add(owner: dict[str, Any], field: str, value: dict[str, Any]) -> None:
    owner[field] = [*(owner.get(field) or ()), value]
