"""Gateway API: fields the route uses, and the Gateway or its class that the values name."""

from collections.abc import Iterator, Mapping
from typing import Any

from endcap.doctor.check import Check, Outcome, gap, ok, unknown, warning
from endcap.doctor.checks.operators import selects
from endcap.doctor.cluster import Cluster, Document
from endcap.doctor.release import Release

GROUP = "/apis/gateway.networking.k8s.io/v1"
BUNDLE_VERSION = "gateway.networking.k8s.io/bundle-version"
CHANNEL = "gateway.networking.k8s.io/channel"
ROUTES = "httproutes.gateway.networking.k8s.io"
RULE_FIELDS = ("name", "timeouts")
"""What the chart's rules have beside matches and backends; an older definition drops or refuses them."""


def checks(release: Release) -> Iterator[Check]:
    if not release.has_route:
        return
    values = release.values
    makes_routes = release.makes_serving_route or release.has_collector_route
    if makes_routes:
        because = "route.enabled" if release.makes_serving_route else "collector.route.enabled"
        yield Check("Gateway API", "version", "HTTPRoutes whose rules have name and timeouts", because, _fields)
    if values["route.gateway.create"]:
        name = str(values["route.gateway.className"])
        yield Check("Gateway API", "class", f"gateway class {name}", "route.gateway.className", lambda cluster: _class(cluster, name))
    for parent, because in _parents(release) if makes_routes else ():
        place = f"{parent.get('namespace', release.namespace)}/{parent['name']}"
        yield Check(
            "Gateway API",
            f"gateway-{parent['name']}" + (f"-{parent['sectionName']}" if parent.get("sectionName") else ""),
            f"Gateway {place}, programmed, open to namespace {release.namespace}",
            because,
            lambda cluster, parent=parent: _gateway(cluster, parent, release.namespace),  # type: ignore[misc]
        )


def _parents(release: Release) -> list[tuple[Mapping[str, Any], str]]:
    """Gateways that the release's routes are attached to and that it does not make, each once, with the value that names it."""
    own = release.values["collector.route.parentRefs"] if release.has_collector_route else None
    parents = [(each, "collector.route.parentRefs") for each in own or ()]
    if release.makes_serving_route or not own:
        parents = [*_shared_parents(release), *parents]
    named = {(each.get("namespace"), each["name"], each.get("sectionName")): (each, because) for each, because in reversed(parents)}
    return [each for each in reversed(named.values()) if each[0].get("kind", "Gateway") == "Gateway"]


def _shared_parents(release: Release) -> list[tuple[Mapping[str, Any], str]]:
    values = release.values
    if values["route.parentRefs"]:
        return [(each, "route.parentRefs") for each in values["route.parentRefs"]]
    return [] if values["route.gateway.create"] else [({"name": values["route.gateway.name"] or release.fullname}, "route.gateway.name")]


def _fields(cluster: Cluster) -> Outcome:
    definition = cluster.get(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{ROUTES}")
    if definition is None:
        return gap("there is no definition of HTTPRoute", "install the definitions of Gateway API 1.4 or newer")
    annotations = definition["metadata"].get("annotations", {})
    shown = f"{annotations.get(BUNDLE_VERSION, 'no version')}, {annotations.get(CHANNEL, 'no')} channel"
    rule = rule_fields(definition)
    if not rule:
        return unknown(f"{shown}: the definition lists no fields of rules", "look where this definition comes from")
    missing = [field for field in RULE_FIELDS if field not in rule]
    if missing:
        return gap(f"{shown}: rules have no {' and no '.join(missing)}", "install the definitions of Gateway API 1.4 or newer")
    return ok(shown)


def rule_fields(definition: Document) -> set[str]:
    """Fields of a rule of an HTTPRoute, version v1; empty where the definition lists none."""
    schema: Document = {}
    for version in definition["spec"]["versions"]:
        if version["name"] == "v1":
            schema = (version.get("schema") or {}).get("openAPIV3Schema") or {}
    for name in ("spec", "rules"):
        schema = (schema.get("properties") or {}).get(name) or {}
    return set((schema.get("items") or {}).get("properties") or {})


def _class(cluster: Cluster, name: str) -> Outcome:
    found = cluster.get(f"{GROUP}/gatewayclasses/{name}")
    if found is None:
        classes = ", ".join(each["metadata"]["name"] for each in cluster.items(f"{GROUP}/gatewayclasses"))
        return gap(f"there is none; there are: {classes or 'no others'}", "install a Gateway API implementation, or name its class")
    return _condition(found, "Accepted", f"see: kubectl describe gatewayclass {name}") or ok(str(found["spec"]["controllerName"]))


def _gateway(cluster: Cluster, parent: Mapping[str, Any], namespace: str) -> Outcome:
    place, name = str(parent.get("namespace") or namespace), str(parent["name"])
    found = cluster.get(f"{GROUP}/namespaces/{place}/gateways/{name}")
    if found is None:
        return gap("there is no such Gateway", "create it, or name another in route.parentRefs, or set route.gateway.create")
    refused = _condition(found, "Programmed", f"see: kubectl describe gateway {name} --namespace {place}")
    if refused is not None:
        return refused
    section = parent.get("sectionName")
    listeners = [each for each in found["spec"]["listeners"] if section in (None, "", each["name"])]
    labels = _labels(cluster, namespace)
    opened = [each["name"] for each in listeners if allows(each, place, namespace, labels)]
    if not opened:
        fix = f"let a listener's allowedRoutes.namespaces take {namespace}, or name another Gateway"
        return gap(f"no listener{f' {section}' if section else ''} takes routes of namespace {namespace}", fix)
    return ok(f"programmed, listener {', '.join(opened)}")


def allows(listener: Document, gateway_namespace: str, namespace: str, labels: Mapping[str, str]) -> bool:
    """Whether a listener takes routes of a namespace."""
    namespaces = (listener.get("allowedRoutes") or {}).get("namespaces") or {}
    source = namespaces.get("from", "Same")
    if source == "All":
        return True
    if source == "Selector":
        return selects(namespaces.get("selector"), labels)
    return bool(source == "Same" and gateway_namespace == namespace)


def _labels(cluster: Cluster, namespace: str) -> Mapping[str, str]:
    found = cluster.get(f"/api/v1/namespaces/{namespace}")
    return dict((found or {"metadata": {}})["metadata"].get("labels") or {"kubernetes.io/metadata.name": namespace})


def _condition(document: Document, kind: str, fix: str) -> Outcome | None:
    """What stands in the way when a condition is not true; None when it is."""
    conditions = document.get("status", {}).get("conditions", ())
    found = next((each for each in conditions if each["type"] == kind), None)
    if found is None:
        return warning(f"nothing says {kind} yet", fix)
    if found["status"] == "True":
        return None
    shown = f"{kind} is {found['status']}: {found.get('message') or found.get('reason', '')}"
    # its controller has not looked at it yet
    return unknown(shown, fix) if found["status"] == "Unknown" else gap(shown, fix)
