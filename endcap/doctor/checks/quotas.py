"""Quotas and limits of the namespace: whether the fewest serving pods fit."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from endcap.doctor.check import Check, Outcome, gap, ok, warning
from endcap.doctor.cluster import Cluster, Document
from endcap.doctor.release import Release

CONTAINERS = {"transformer-container": "serving.transformer.resources", "kserve-container": "serving.modelServer.resources"}
Amounts = dict[str, Decimal]


@dataclass(frozen=True)
class ServingPods:
    """The fewest pods that serve: how many, and what one of them asks for, as a quota names it (`requests.cpu`)."""

    count: int
    each: Amounts


def checks(release: Release) -> Iterator[Check]:
    if not release.values["serving.enabled"]:
        return
    count = release.values["serving.replicas.min"]
    yield Check(
        "Namespace", "quota", f"room in quotas for {count} serving pods", "serving.replicas.min", lambda cluster: _quota(cluster, release)
    )
    because = ", ".join(CONTAINERS.values())
    yield Check("Namespace", "limits", "limit ranges that serving containers fit", because, lambda cluster: _limits(cluster, release))


def serving_pods(release: Release) -> ServingPods:
    """As the chart asks for them, GPUs included."""
    total: Amounts = {"pods": Decimal(1), "count/pods": Decimal(1)}
    for value in CONTAINERS.values():
        for kind, amounts in (release.values[value] or {}).items():
            for resource, amount in amounts.items():
                _add(total, f"{kind}.{resource}", quantity(amount))
                if kind == "requests" and resource in ("cpu", "memory"):
                    _add(total, resource, quantity(amount))
    if gpus := int(release.values["serving.modelServer.gpu.count"] or 0):
        _add(total, f"requests.{release.values['serving.modelServer.gpu.resource']}", Decimal(gpus))
    return ServingPods(int(release.values["serving.replicas.min"] or 1), total)


def judge_quota(pods: ServingPods, quotas: list[Document]) -> Outcome:
    """Whether all of them fit into every quota; what is used now may be their own already."""
    tight = []
    for each in quotas:
        used = each.get("status", {}).get("used") or {}
        for resource, hard in (each["spec"].get("hard") or {}).items():
            if resource not in pods.each:
                continue
            needed, most = pods.each[resource] * pods.count, quantity(hard)
            shown = f"{each['metadata']['name']}: {resource} {hard}, {pods.count} pods need {_plain(needed)}"
            if needed > most:
                fix = "raise the quota, or lower serving.replicas.min or the requests"
                return gap(shown, fix)
            if needed + quantity(used.get(resource, "0")) > most:
                tight.append(f"{shown}, {used[resource]} is used")
    if tight:
        return warning("; ".join(tight), "unless that is this release's own use, raise the quota")
    return ok("they fit" if quotas else "there is no quota")


def judge_limits(containers: Mapping[str, Mapping[str, Any]], ranges: list[Document]) -> Outcome:
    """Whether each container keeps every range.

    Args:
        containers: `requests` and `limits` by the container's name.
    """
    for limit_range in ranges:
        for limit in limit_range["spec"].get("limits", ()):
            if limit["type"] != "Container":
                continue
            for name, resources in containers.items():
                if broken := _broken(limit, resources):
                    return gap(f"{limit_range['metadata']['name']}: {name}: {broken}", f"change the range, or {CONTAINERS[name]}")
    return ok("they fit" if ranges else "there are none")


def _broken(limit: Mapping[str, Any], resources: Mapping[str, Any]) -> str:
    for resource, most in (limit.get("max") or {}).items():
        given = (resources.get("limits") or {}).get(resource)
        if given is not None and quantity(given) > quantity(most):
            return f"limit {resource} {given} is over {most}"
    for resource, least in (limit.get("min") or {}).items():
        given = (resources.get("requests") or {}).get(resource)
        if given is not None and quantity(given) < quantity(least):
            return f"request {resource} {given} is under {least}"
    return ""


def _quota(cluster: Cluster, release: Release) -> Outcome:
    return judge_quota(serving_pods(release), cluster.items(f"/api/v1/namespaces/{release.namespace}/resourcequotas"))


def _limits(cluster: Cluster, release: Release) -> Outcome:
    containers = {name: release.values[value] or {} for name, value in CONTAINERS.items()}
    return judge_limits(containers, cluster.items(f"/api/v1/namespaces/{release.namespace}/limitranges"))


def quantity(text: Any) -> Decimal:
    """A quantity as Kubernetes writes it, in its base unit (cores, bytes, pieces)."""
    from kubernetes.utils import parse_quantity

    return Decimal(parse_quantity(str(text)))


def _add(total: Amounts, name: str, amount: Decimal) -> None:
    total[name] = total.get(name, Decimal(0)) + amount


def _plain(amount: Decimal) -> str:
    gibibytes = amount / (1024**3)
    return f"{gibibytes.normalize():f}Gi" if amount >= 1024**2 else f"{amount.normalize():f}"
