"""Node objects and their leases, as kubelets register and renew them."""

from datetime import UTC, datetime

from tests.cluster.nodes.container_states import condition, moment
from tests.cluster.nodes.node_api import Document, NodeApi
from tests.cluster.rest import JSON, MERGE

NODES = "/api/v1/nodes"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
LEASE_S = 40
RENEWAL_S = 10.0
PRESSURES = {
    "MemoryPressure": "KubeletHasSufficientMemory",
    "DiskPressure": "KubeletHasNoDiskPressure",
    "PIDPressure": "KubeletHasSufficientPID",
}
CAPACITY = {"cpu": "64", "memory": "256Gi", "pods": "110", "ephemeral-storage": "1Ti"}


def register(api: NodeApi, name: str, address: str) -> None:
    """A Node that is ready, and its lease.

    Args:
        address: its internal IP.
    """
    now = datetime.now(UTC)
    labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "topology.kubernetes.io/zone": name}
    api.request("POST", NODES, {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}, "spec": {}})
    conditions = [condition(each, False, now, reason) for each, reason in PRESSURES.items()]
    status = {
        "capacity": CAPACITY,
        "allocatable": CAPACITY,
        "addresses": [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": name}],
        "conditions": [*conditions, condition("Ready", True, now, "KubeletReady")],
    }
    api.request("PATCH", f"{NODES}/{name}/status", {"status": status}, MERGE)
    spec = {"holderIdentity": name, "leaseDurationSeconds": LEASE_S, "renewTime": _precise(now)}
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": name}, "spec": spec}
    api.request("POST", LEASES, lease, JSON)


def renew(api: NodeApi, name: str) -> None:
    """The kubelet is alive."""
    api.request("PATCH", f"{LEASES}/{name}", {"spec": {"renewTime": _precise(datetime.now(UTC))}}, MERGE)


def unregister(api: NodeApi, name: str) -> None:
    """Node and lease are gone."""
    for collection in (LEASES, NODES):
        api.request("DELETE", f"{collection}/{name}")


def is_schedulable(node: Document) -> bool:
    """Ready and not cordoned."""
    conditions = {each["type"]: each["status"] for each in node.get("status", {}).get("conditions") or ()}
    return not node["spec"].get("unschedulable", False) and conditions.get("Ready") == "True"


def _precise(at: datetime) -> str:
    return moment(at).replace("Z", f".{at.microsecond:06d}Z")
