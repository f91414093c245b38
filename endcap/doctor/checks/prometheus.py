"""Prometheus: whether the address that guardrails and KEDA ask answers, and whether a Prometheus takes the release's monitors."""

import json
from collections.abc import Iterator, Mapping

from endcap.doctor.check import Check, Outcome, gap, ok, warning
from endcap.doctor.checks.operators import selects
from endcap.doctor.cluster import Cluster, Document
from endcap.doctor.reach import Unreachable, ask_http, in_cluster
from endcap.doctor.release import Release

Labels = Mapping[str, str]
MONITORS = {
    "podMonitor": ("PodMonitors", "podMonitorSelector"),
    "serviceMonitor": ("ServiceMonitors", "serviceMonitorSelector"),
    "prometheusRule": ("PrometheusRules", "ruleSelector"),
}


def checks(release: Release) -> Iterator[Check]:
    values = release.values
    asked_by = [
        name
        for name, is_on in (
            ("rollouts.operator.enabled", values["rollouts.operator.enabled"]),
            ("serving.autoscaling.class=keda", release.scales_with_keda),
        )
        if is_on
    ]
    if asked_by:
        url = str(values["monitoring.prometheusUrl"])
        needed = f"a Prometheus at {url}"
        yield Check("Prometheus", "address", needed, ", ".join(asked_by), lambda cluster: _answers(cluster, url, release.namespace))
    if monitors := release.monitors:
        needed = f"a Prometheus that takes {', '.join(MONITORS[each][0] for each in monitors)} of {release.namespace}"
        because = ", ".join(f"monitoring.{each}.enabled" for each in monitors)
        yield Check("Prometheus", "selectors", needed, because, lambda cluster: _selected(cluster, release, monitors))


def _answers(cluster: Cluster, url: str, namespace: str) -> Outcome:
    try:
        answer = ask_http(f"{url.rstrip('/')}/api/v1/status/buildinfo")
    except Unreachable as reason:
        return in_cluster(cluster, url, namespace, reason)
    if answer.status in (401, 403):
        return gap(
            f"it answers {answer.status}: guardrails send no credentials", "give an address that asks for none in monitoring.prometheusUrl"
        )
    try:
        return ok(f"Prometheus {json.loads(answer.body)['data']['version']}")
    except (ValueError, KeyError, TypeError):
        return warning(f"it answers {answer.status} without a version", "look whether monitoring.prometheusUrl is a Prometheus's")


def _selected(cluster: Cluster, release: Release, monitors: list[str]) -> Outcome:
    servers = cluster.items("/apis/monitoring.coreos.com/v1/prometheuses")
    if not servers:
        return gap("there is no Prometheus resource", "create one, or have the release's metrics scraped some other way")
    found = cluster.get(f"/api/v1/namespaces/{release.namespace}")
    namespace_labels = (found or {"metadata": {}})["metadata"].get("labels") or {"kubernetes.io/metadata.name": release.namespace}
    labels = {
        "app.kubernetes.io/name": str(release.values["nameOverride"] or release.chart_name),
        "app.kubernetes.io/instance": release.name,
        "app.kubernetes.io/part-of": "endcap",
        **(release.values["commonLabels"] or {}),
        **(release.values["monitoring.labels"] or {}),
    }
    taken, left = [], []
    for kind, selector in (MONITORS[each] for each in monitors):
        taking = [each for each in servers if takes(each, selector, labels, release.namespace, namespace_labels)]
        if taking:
            taken.append(f"{kind} by {', '.join(_place(each) for each in taking)}")
        else:
            left.append(f"no Prometheus takes {kind}: " + "; ".join(_selection(each, selector) for each in servers))
    if left:
        return gap("; ".join(left), "put the labels it selects by into monitoring.labels, or widen its selectors")
    return ok("; ".join(taken))


def takes(server: Document, selector: str, labels: Labels, namespace: str, namespace_labels: Labels) -> bool:
    """Whether a Prometheus resource selects an object with these labels in this namespace."""
    namespaces = server["spec"].get(selector.replace("Selector", "NamespaceSelector"))
    in_reach = server["metadata"]["namespace"] == namespace if namespaces is None else selects(namespaces, namespace_labels)
    return in_reach and selects(server["spec"].get(selector), labels)


def _selection(server: Document, selector: str) -> str:
    namespaces = server["spec"].get(selector.replace("Selector", "NamespaceSelector"))
    of = "its own namespace" if namespaces is None else f"namespaces {json.dumps(namespaces)}"
    return f"{_place(server)} takes labels {json.dumps(server['spec'].get(selector))} of {of}"


def _place(server: Document) -> str:
    return f"{server['metadata']['namespace']}/{server['metadata']['name']}"
