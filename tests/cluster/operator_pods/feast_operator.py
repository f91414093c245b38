"""Pods that feast-operator (after 0.66.0, 2026-08-21) makes of a FeatureStore, as Pod Security sees them.

Observed (`shared/data/kserve-observed`, section "Other operators"): it passes the pod-level context on and gives server containers none.
Read in `internal/controller/services/services.go`: one Deployment with all servers; the init container `feast-init` has no context either.
Not written down: the pod of the operator's CronJob, which was observed to have a context, but not with which fields.
"""

from collections.abc import Iterator

from tests.cluster.operator_pods.pod import Manifest, container, secured_pod


def pods(store: Manifest) -> Iterator[tuple[str, Manifest]]:
    """Name and pod of the Deployment."""
    name, services = f"feast-{store['metadata']['name']}", store["spec"]["services"]
    servers = {
        "registry": services.get("registry", {}).get("local", {}).get("server"),
        "online": services.get("onlineStore", {}).get("server"),
        "offline": services.get("offlineStore", {}).get("server"),
        "ui": services.get("ui"),
    }
    containers = [container(kind, server["image"], None) for kind, server in servers.items() if server is not None]
    image = containers[0]["image"]
    first = []
    if "feastProjectDir" in store["spec"] and not services.get("disableInitContainers", False):
        first.append(container("feast-init", image, None))
        if services.get("runFeastApplyOnInit", True):
            first.append(container("feast-apply", image, None))
    yield name, secured_pod(name, services.get("securityContext"), containers, first, [{"name": "feast-data", "emptyDir": {}}])
