"""Pods are bound, started and ended as on real nodes, and requests fail where they would fail there."""

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from tests.cluster.cluster import Cluster
from tests.cluster.command import Command
from tests.cluster.nodes.cluster_nodes import ANSWER_S, START_S, Nodes
from tests.cluster.nodes.gateway import Gateway
from tests.cluster.nodes.steady_load import LoadReport, SteadyLoad
from tests.cluster.nodes.workload import AT_ONCE, Stopping, Workload
from tests.waiting import until

Make = Callable[..., Workload]
DRAINED_S = "60s"
SLOW_START_S = 4.0
"""The first node's pods are made anew so slowly, and the budget keeps the second node's until they are ready."""
NUMBERS = itertools.count(1)


@pytest.fixture
def make(kubectl: Command, nodes: Nodes, nodes_namespace: str) -> Iterator[Make]:
    """A workload with pods that are ready; gone after the test."""
    made: list[Workload] = []

    def of(replicas: int = 3, stopping: Stopping = Stopping()) -> Workload:  # noqa: B008 - frozen
        made.append(Workload(kubectl, nodes_namespace, f"web-{next(NUMBERS)}", replicas, stopping))
        made[-1].wait_until_ready()
        return made[-1]

    yield of
    for each in made:
        kubectl("delete", "deployment,service,httproute,poddisruptionbudget", each.name, "-n", nodes_namespace)
        kubectl("delete", "pods", "-l", f"app={each.name}", "-n", nodes_namespace, "--grace-period=0", "--force")


@contextmanager
def _served(cluster: Cluster, nodes: Nodes, workload: Workload) -> Iterator[LoadReport]:
    """50 requests a second from when the gateway knows all pods to the end of the block."""
    with ExitStack() as stack:
        gateway = Gateway(cluster, workload.namespace, workload.name, loop=nodes.loop, port_of=nodes.port_of)
        stack.enter_context(gateway)
        until(lambda: len(gateway.endpoints(workload.name)) == workload.replicas, "all endpoints")
        load = stack.enter_context(SteadyLoad(nodes.loop, gateway.port))
        until(lambda: load.report.answered.total() > 20, "answers")
        yield load.report


def _drain(kubectl: Command, node: str) -> None:
    kubectl("drain", node, "--ignore-daemonsets", "--delete-emptydir-data", f"--timeout={DRAINED_S}")
    kubectl("uncordon", node)


def _evict(kubectl: Command, pod: dict[str, Any]) -> str:
    """What the API server says to an eviction; empty when it is granted."""
    name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": namespace}}
    path = f"/api/v1/namespaces/{namespace}/pods/{name}/eviction"
    return kubectl.run("create", "--raw", path, "-f", "-", stdin=json.dumps(eviction)).stderr


def test_pods_are_spread_over_the_nodes_and_become_ready_with_an_address(make: Make, nodes: Nodes) -> None:
    pods = make().pods()
    assert {each["spec"]["nodeName"] for each in pods} == set(nodes.names)
    assert len({each["status"]["podIP"] for each in pods}) == 3
    for pod in pods:
        conditions = {each["type"] for each in pod["status"]["conditions"] if each["status"] == "True"}
        assert conditions == {"PodScheduled", "PodReadyToStartContainers", "Initialized", "ContainersReady", "Ready"}
        (container,) = pod["status"]["containerStatuses"]
        assert container["ready"] and container["started"] and "running" in container["state"]


def test_a_pod_without_a_node_stays_pending_until_one_is_uncordoned(make: Make, nodes: Nodes, kubectl: Command) -> None:
    workload = make(replicas=1)
    kubectl("cordon", *nodes.names)
    kubectl("scale", "deployment", workload.name, "--replicas=2", "-n", workload.namespace)

    def unschedulable() -> bool:
        conditions = [condition for pod in workload.pods() for condition in pod["status"].get("conditions") or ()]
        return any(each["type"] == "PodScheduled" and each.get("reason") == "Unschedulable" for each in conditions)

    until(unschedulable, "a pod that no node takes")
    kubectl("uncordon", *nodes.names)
    pods = until(lambda: len(ready := workload.ready_pods()) == 2 and ready, "both pods")
    assert {each["spec"]["nodeName"] for each in pods} <= set(nodes.names)


def test_a_second_eviction_at_once_is_refused_by_the_budget(make: Make, kubectl: Command) -> None:
    workload = make()
    first, second, _ = workload.wait_until_ready()
    assert _evict(kubectl, first) == ""
    assert "Cannot evict pod as it would violate the pod's disruption budget" in _evict(kubectl, second)
    workload.wait_until_ready()
    assert _evict(kubectl, second) == ""


def test_node_after_node_is_drained_and_no_request_fails(make: Make, cluster: Cluster, nodes: Nodes, kubectl: Command) -> None:
    workload = make()
    before = {each["metadata"]["uid"] for each in workload.pods()}
    with _served(cluster, nodes, workload) as report:
        for node, start_s in zip(nodes.names, (SLOW_START_S, START_S, START_S), strict=True):
            nodes.start_s = start_s
            _drain(kubectl, node)
        workload.wait_until_ready()
    assert report.failed == {}
    assert report.answered.total() > 200
    assert not before & {each["metadata"]["uid"] for each in workload.pods()}


def test_pods_that_close_without_waiting_lose_requests(make: Make, cluster: Cluster, nodes: Nodes, kubectl: Command) -> None:
    workload = make(stopping=AT_ONCE)
    with _served(cluster, nodes, workload) as report:
        kubectl("delete", "pods", "-l", f"app={workload.name}", "-n", workload.namespace, "--wait=false")
        until(lambda: report.failed["refused"] > 5, "refused requests")


def test_pods_that_are_killed_cut_their_requests_off(make: Make, cluster: Cluster, nodes: Nodes, kubectl: Command) -> None:
    nodes.answer_s = 0.5
    try:
        workload = make(replicas=2)
        with _served(cluster, nodes, workload) as report:
            kubectl("delete", "pods", "-l", f"app={workload.name}", "-n", workload.namespace, "--grace-period=0", "--force")
            until(lambda: report.failed["cut off"] > 3, "requests that were cut off")
    finally:
        nodes.answer_s = ANSWER_S


def test_a_deleted_pod_leaves_the_ready_endpoints_before_it_ends(make: Make, kubectl: Command) -> None:
    workload = make(replicas=2, stopping=Stopping(pre_stop_s=3))
    gone = workload.pods()[0]
    kubectl("delete", "pod", gone["metadata"]["name"], "-n", workload.namespace, "--wait=false")

    def endpoint() -> dict[str, bool] | None:
        listed = kubectl(
            "get", "endpointslices", "-l", f"kubernetes.io/service-name={workload.name}", "-n", workload.namespace, "-o", "json"
        )
        endpoints = [each for found in json.loads(listed)["items"] for each in found["endpoints"]]
        conditions = next(each["conditions"] for each in endpoints if each["targetRef"]["uid"] == gone["metadata"]["uid"])
        return dict(conditions) if conditions["terminating"] else None

    assert until(endpoint, "the endpoint of a pod that ends") == {"ready": False, "serving": True, "terminating": True}
    until(lambda: gone["metadata"]["uid"] not in {each["metadata"]["uid"] for each in workload.pods()}, "the pod's end")
