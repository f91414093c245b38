"""A plain Deployment behind an HTTPRoute with a disruption budget: what a rolling drain needs, without KServe and without an operator."""

import json
from dataclasses import dataclass
from typing import Any

import yaml

from tests.cluster.command import Command
from tests.cluster.nodes.pod_server import DRAIN, READY_PATH, UNREADY
from tests.waiting import until

SECURITY = {"allowPrivilegeEscalation": False, "runAsNonRoot": True, "capabilities": {"drop": ["ALL"]}}


@dataclass(frozen=True)
class Stopping:
    """How the pods end, in whole seconds; by default as carefully as the chart's, in less time."""

    pre_stop_s: int = 1
    unready_s: int = 1
    drain_s: int = 2
    grace_s: int = 10


AT_ONCE = Stopping(pre_stop_s=0, unready_s=0, drain_s=0)


class Workload:
    """Made when it is constructed.

    Args:
        kubectl: of an administrator.
        namespace: where.
        name: of Deployment, Service, HTTPRoute and PodDisruptionBudget.
        replicas: number of pods, one of which may be missing.
        stopping: how the pods end.
    """

    def __init__(self, kubectl: Command, namespace: str, name: str, replicas: int, stopping: Stopping) -> None:
        self._kubectl = kubectl
        self.namespace = namespace
        self.name = name
        self.replicas = replicas
        objects = [_deployment(name, replicas, stopping), _service(name), _route(name), _budget(name)]
        kubectl("apply", "-n", namespace, "-f", "-", stdin=yaml.safe_dump_all(objects))

    def pods(self) -> list[dict[str, Any]]:
        listed = self._kubectl("get", "pods", "-n", self.namespace, "-l", f"app={self.name}", "-o", "json")
        return list(json.loads(listed)["items"])

    def ready_pods(self) -> list[dict[str, Any]]:
        """Those that are ready and stay."""
        return [each for each in self.pods() if is_ready(each) and "deletionTimestamp" not in each["metadata"]]

    def wait_until_ready(self) -> list[dict[str, Any]]:
        """All pods, when they are ready and the budget lets one go."""

        def settled() -> list[dict[str, Any]]:
            ready = self.ready_pods()
            return ready if len(ready) == self.replicas and self.disruptions_allowed() == 1 else []

        pods: list[dict[str, Any]] = until(settled, f"{self.replicas} ready pods of {self.name}")
        return pods

    def disruptions_allowed(self) -> int:
        budget = json.loads(self._kubectl("get", "poddisruptionbudget", self.name, "-n", self.namespace, "-o", "json"))
        return int(budget.get("status", {}).get("disruptionsAllowed", 0))


def is_ready(pod: dict[str, Any]) -> bool:
    conditions = {each["type"]: each["status"] for each in pod["status"].get("conditions") or ()}
    return conditions.get("Ready") == "True"


def _deployment(name: str, replicas: int, stopping: Stopping) -> dict[str, Any]:
    probe = {"httpGet": {"path": READY_PATH, "port": 8080}, "periodSeconds": 1, "failureThreshold": 2}
    container: dict[str, Any] = {
        "name": "transformer-container",
        "image": "transformer:1",
        "ports": [{"containerPort": 8080}],
        "env": [{"name": UNREADY, "value": str(stopping.unready_s)}, {"name": DRAIN, "value": str(stopping.drain_s)}],
        "startupProbe": {**probe, "failureThreshold": 60},
        "readinessProbe": probe,
        "securityContext": SECURITY,
    }
    if stopping.pre_stop_s:
        container["lifecycle"] = {"preStop": {"sleep": {"seconds": stopping.pre_stop_s}}}
    pod = {
        "terminationGracePeriodSeconds": stopping.grace_s,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
    }
    template = {"metadata": {"labels": {"app": name}}, "spec": pod}
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def _service(name: str) -> dict[str, Any]:
    spec = {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": 8080}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def _route(name: str) -> dict[str, Any]:
    rule = {"name": "traffic", "backendRefs": [{"name": name, "port": 80, "weight": 100}]}
    spec = {"parentRefs": [{"name": "gateway"}], "rules": [rule]}
    return {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": name}, "spec": spec}


def _budget(name: str) -> dict[str, Any]:
    spec = {"maxUnavailable": 1, "selector": {"matchLabels": {"app": name}}}
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": name}, "spec": spec}
