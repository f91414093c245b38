"""Rule: with the Gateway API KServe makes HTTPRoutes of its own, and takes one over that has its name.

Observed: "Label `networking.kserve.io/visibility: cluster-local` is vital with `enableGatewayApi`: without it KServe takes over the
HTTPRoute of the same name (replaces hosts, parents and rules, sets itself as owner)." Read in KServe's code: only once the predictor is
ready, and in Standard mode; it updates the whole object, so that labels and annotations go, too.

Kinder than the real one: a gateway is taken to accept each route at once.
"""

from typing import Any

from tests.cluster.kserve.settings import KServeSettings
from tests.cluster.rest import Objects

VISIBILITY, CLUSTER_LOCAL = "networking.kserve.io/visibility", "cluster-local"
ROUTES = ("gateway.networking.k8s.io/v1", "HTTPRoute")


def is_cluster_local(service: dict[str, Any]) -> bool:
    """Whether KServe keeps away from the routes of this InferenceService."""
    return bool((service["metadata"].get("labels") or {}).get(VISIBILITY) == CLUSTER_LOCAL)


def make_routes(objects: Objects, service: dict[str, Any], owned: dict[str, Any], settings: KServeSettings) -> None:
    """Make or take over the predictor's route and the InferenceService's own.

    Args:
        owned: the metadata with which KServe makes itself the owner.
    """
    name = service["metadata"]["name"]
    for route in (f"{name}-predictor", name):
        _replace(objects, _wanted(route, service, owned, settings))


def _replace(objects: Objects, wanted: dict[str, Any]) -> None:
    metadata = wanted["metadata"]
    present = objects.find(*ROUTES, metadata["namespace"], metadata["name"])
    if present is None:
        objects.create(wanted)
    elif not _holds(present, wanted):
        objects.replace({**wanted, "metadata": {**metadata, "resourceVersion": present["metadata"]["resourceVersion"]}})


def _wanted(route: str, service: dict[str, Any], owned: dict[str, Any], settings: KServeSettings) -> dict[str, Any]:
    metadata = service["metadata"]
    namespace = metadata["namespace"]
    gateway_namespace, _, gateway = settings.ingress_gateway.partition("/")
    backend = {"kind": "Service", "name": f"{metadata['name']}-predictor", "namespace": namespace, "port": 80}
    rule = {
        "matches": [{"path": {"type": "RegularExpression", "value": "^/.*$"}}],
        "backendRefs": [backend],
        "timeouts": {"request": "60s"},
    }
    return {
        "apiVersion": ROUTES[0],
        "kind": ROUTES[1],
        "metadata": {"name": route, "namespace": namespace, **owned},
        "spec": {
            "hostnames": [f"{route}-{namespace}.{settings.ingress_domain}"],
            "parentRefs": [{"kind": "Gateway", "namespace": gateway_namespace, "name": gateway}],
            "rules": [rule],
        },
    }


def _holds(present: Any, wanted: Any) -> bool:
    """Whether everything wanted is there, defaults beside it."""
    if isinstance(wanted, dict):
        return isinstance(present, dict) and all(_holds(present.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list):
        same_length = isinstance(present, list) and len(present) == len(wanted)
        return same_length and all(_holds(each, value) for each, value in zip(present, wanted, strict=True))
    return bool(present == wanted)
