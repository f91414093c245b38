"""A Pod from what an operator puts into it."""

from collections.abc import Mapping, Sequence
from typing import Any

Manifest = dict[str, Any]


def pod_of(name: str, template: Mapping[str, Any]) -> Manifest:
    """A Pod from a pod template."""
    labels = template["metadata"].get("labels", {})
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}, "spec": template["spec"]}


def secured_pod(
    name: str,
    pod_security: Mapping[str, Any] | None,
    containers: Sequence[Manifest],
    init_containers: Sequence[Manifest] = (),
    volumes: Sequence[Manifest] = (),
) -> Manifest:
    """A Pod of which only what Pod Security looks at is written down; None is a context that the operator leaves out."""
    spec: Manifest = {"containers": list(containers), "initContainers": list(init_containers), "volumes": list(volumes)}
    if pod_security is not None:
        spec["securityContext"] = dict(pod_security)
    return pod_of(name, {"metadata": {}, "spec": spec})


def container(name: str, image: str, security: Mapping[str, Any] | None) -> Manifest:
    """A container; None is a context that the operator leaves out."""
    bare: Manifest = {"name": name, "image": image}
    return bare if security is None else {**bare, "securityContext": dict(security)}
