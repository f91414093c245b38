"""Binds pods to nodes: the one with the fewest pods of the same topology spread, then of all, as the real one scores them in the main.

Cordoned nodes get none (taint `node.kubernetes.io/unschedulable`). Left out: resources, affinity, taints of other kinds, priorities, zones.
https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/
"""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime

from tests.cluster.nodes.container_states import condition
from tests.cluster.nodes.node_api import Document, NodeApi
from tests.cluster.nodes.node_objects import is_schedulable

HOST = "kubernetes.io/hostname"


def choose_node(pod: Document, nodes: Iterable[Document], pods: Iterable[Document]) -> str | None:
    """Name of the node for a pod; None when no node takes it.

    Args:
        nodes: all there are.
        pods: those that are bound; ones that are being deleted do not count for the spread.
    """
    names = [str(each["metadata"]["name"]) for each in nodes if is_schedulable(each)]
    if not names:
        return None
    bound = [each for each in pods if each["spec"].get("nodeName")]
    alike = Counter(each["spec"]["nodeName"] for each in bound if "deletionTimestamp" not in each["metadata"] and _is_alike(pod, each))
    busy = Counter(each["spec"]["nodeName"] for each in bound)
    return min(names, key=lambda name: (alike[name], busy[name], name))


def bind(api: NodeApi, pod: Document, node: str) -> None:
    """The API server sets `nodeName` and the condition PodScheduled."""
    metadata = {"name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"]}
    target = {"apiVersion": "v1", "kind": "Node", "name": node}
    path = f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{metadata['name']}/binding"
    api.request("POST", path, {"apiVersion": "v1", "kind": "Binding", "metadata": metadata, "target": target})


def leave_pending(api: NodeApi, pod: Document) -> None:
    """Write beside a pod that no node takes it."""
    conditions = pod.get("status", {}).get("conditions") or ()
    if not any(each["type"] == "PodScheduled" for each in conditions):
        api.write_status(pod, {"conditions": [condition("PodScheduled", False, datetime.now(UTC), "Unschedulable")]})


def _is_alike(pod: Document, other: Document) -> bool:
    """Whether the pod's own spread over hosts counts the other; without one, whether both are of one ReplicaSet."""
    labels = other["metadata"].get("labels", {})
    for each in pod["spec"].get("topologySpreadConstraints") or ():
        if each["topologyKey"] == HOST:
            return bool(each["labelSelector"].get("matchLabels", {}).items() <= labels.items())
    return bool(_owners(pod) & _owners(other))


def _owners(pod: Document) -> set[str]:
    return {each["uid"] for each in pod["metadata"].get("ownerReferences") or ()}
