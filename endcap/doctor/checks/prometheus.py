"""Prometheus: whether the address that guardrails and KEDA ask answers, and whether a Prometheus takes the release's monitors."""

import json
from collections.abc import Iterator

from endcap.doctor.check import Check, Outcome, gap, ok, warning
from endcap.doctor.checks.label_selector import selects
from endcap.doctor.cluster import Cluster
from endcap.doctor.reach import Unreachable, ask_http, in_cluster
from endcap.doctor.release import Release

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
    switches = {
        "podMonitor": values["serving.enabled"] and values["monitoring.podMonitor.enabled"],
        "serviceMonitor": values["rollouts.operator.enabled"] and values["monitoring.serviceMonitor.enabled"],
        "prometheusRule": values["monitoring.prometheusRule.enabled"],
    }
    for value, is_on in switches.items():
        if is_on:
            kind, selector = MONITORS[value]
            yield Check(
                "Prometheus",
                f"selects-{kind.lower()}",
                f"a Prometheus that takes {kind} of {release.namespace}",
                f"monitoring.{value}.enabled",
                lambda cluster, selector=selector: _selected(cluster, release, selector),  # type: ignore[misc]
            )


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


def _selected(cluster: Cluster, release: Release, selector: str) -> Outcome:
    servers = cluster.items("/apis/monitoring.coreos.com/v1/prometheuses")
    if not servers:
        return gap("there is no Prometheus resource", "create one, or have the release's metrics scraped some other way")
    found = cluster.get(f"/api/v1/namespaces/{release.namespace}")
    namespace_labels = (found or {"metadata": {}})["metadata"].get("labels") or {"kubernetes.io/metadata.name": release.namespace}
    labels = {
        **(release.values["commonLabels"] or {}),
        **(release.values["monitoring.labels"] or {}),
        "app.kubernetes.io/name": str(release.values["nameOverride"] or release.chart_name),
        "app.kubernetes.io/instance": release.name,
        "app.kubernetes.io/part-of": "endcap",
    }
    taking, wanted = [], []
    for server in servers:
        place = f"{server['metadata']['namespace']}/{server['metadata']['name']}"
        spec = server["spec"]
        namespaces = spec.get(selector.replace("Selector", "NamespaceSelector"))
        in_reach = server["metadata"]["namespace"] == release.namespace if namespaces is None else selects(namespaces, namespace_labels)
        if in_reach and selects(spec.get(selector), labels):
            taking.append(place)
        else:
            wanted.append(f"{place} takes {json.dumps(spec.get(selector))}{'' if in_reach else ', of other namespaces'}")
    if taking:
        return ok(f"taken by {', '.join(taking)}")
    return gap("none takes them: " + "; ".join(wanted), "put the labels it selects by into monitoring.labels")
