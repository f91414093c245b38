"""The API server's own version, and what the chart needs of it beside operators."""

from collections.abc import Iterator

from endcap.doctor.check import Check, Outcome, gap, ok, unknown
from endcap.doctor.checks.operators import parse_version
from endcap.doctor.cluster import Cluster
from endcap.doctor.release import Release

OLDEST = (1, 30)


def checks(release: Release) -> Iterator[Check]:
    yield Check("Kubernetes", "version", "Kubernetes 1.30 or newer", "every profile", _version)
    if release.values["serving.enabled"] and release.values["serving.podDisruptionBudget.enabled"]:
        yield Check(
            "Kubernetes", "disruption-budgets", "definition poddisruptionbudgets/v1", "serving.podDisruptionBudget.enabled", _budgets
        )
    if release.values["serving.priorityClassName"]:
        name = str(release.values["serving.priorityClassName"])
        yield Check(
            "Kubernetes", "priority-class", f"priority class {name}", "serving.priorityClassName", lambda cluster: _priority(cluster, name)
        )


def _version(cluster: Cluster) -> Outcome:
    text = cluster.version()
    version = parse_version(text)
    if not version:
        return unknown(f"the API server says version {text!r}")
    return ok(text) if version >= OLDEST else gap(text, "upgrade the cluster")


def _budgets(cluster: Cluster) -> Outcome:
    found = cluster.get("/apis/policy/v1") or {"resources": []}
    if any(each["name"] == "poddisruptionbudgets" for each in found["resources"]):
        return ok("served")
    return gap("policy/v1 does not serve it", "upgrade the cluster, or set serving.podDisruptionBudget.enabled to false")


def _priority(cluster: Cluster, name: str) -> Outcome:
    if cluster.get(f"/apis/scheduling.k8s.io/v1/priorityclasses/{name}") is not None:
        return ok("there")
    return gap("there is none: every pod is refused", "create it, or empty serving.priorityClassName")
