"""Pods that milvus-operator 1.3.8 makes of a Milvus, as Pod Security sees them.

Each rule names what it rests on: `observed` is `shared/data/kserve-observed`, section "Other operators"; `read` is the operator's code,
`pkg/controllers/deployment_updater.go`, `deployments.go`. Not written down: probes, lifecycle, environment, which Pod Security ignores.
"""

from collections.abc import Iterator
from typing import Any

from tests.cluster.operator_pods.pod import Manifest, container, secured_pod

CLUSTER = {
    "proxy": "proxy",
    "mixCoord": "mixcoord",
    "streamingNode": "streamingnode",
    "dataNode": "datanode",
    "queryNode": "querynode",
}
"""Fields of `components` and the containers they make; Milvus 2.6 has no other."""
STANDALONE = {"standalone": "standalone"}
POD_SECURITY = {"runAsNonRoot": True, "runAsUser": 1000}
"""Observed: pod-level runAsNonRoot and runAsUser only; read: only with `components.runAsNonRoot`, whatever else the resource says."""
CONFIG_SECURITY = {"runAsNonRoot": True, "runAsUser": 1000}
"""Observed: the init container `config` neither drops capabilities nor forbids privilege escalation, and no field changes that.
Later code gives it the components' `securityContext`; the harder of the two is kept here."""
VOLUMES = (
    {"name": "milvus-config", "configMap": {"name": "milvus"}},
    {"name": "tools", "emptyDir": {}},
    {"name": "milvus-data", "emptyDir": {}},
)
ETCD_SECURITY = {"runAsUser": 1001, "runAsNonRoot": True}
ETCD_POD_SECURITY = {"fsGroup": 1001}
MINIO_POD_SECURITY = {"runAsUser": 1000, "runAsGroup": 1000, "fsGroup": 1000}
"""Read in the defaults of the Helm charts that the operator installs (Bitnami's etcd, MinIO's); not observed in a pod. Whether their newer
versions add more is not known: this is the least they set."""


def pods(milvus: Manifest) -> Iterator[tuple[str, Manifest]]:
    """Name and pod of each component, and of etcd and MinIO where they are in the cluster. Woodpecker runs inside Milvus's own pods."""
    name, spec = milvus["metadata"]["name"], milvus["spec"]
    for field, component in (CLUSTER if spec["mode"] == "cluster" else STANDALONE).items():
        yield f"{name}-milvus-{component}", _component_pod(f"{name}-milvus-{component}", spec["components"], field, component)
    dependencies = spec["dependencies"]
    if "inCluster" in dependencies["etcd"]:
        etcd = container("etcd", "bitnami/etcd:3.5.25", ETCD_SECURITY)
        yield f"{name}-etcd-0", secured_pod(f"{name}-etcd-0", ETCD_POD_SECURITY, [etcd])
    if "inCluster" in dependencies["storage"]:
        minio = container("minio", "minio/minio:latest", None)
        yield f"{name}-minio-0", secured_pod(f"{name}-minio-0", MINIO_POD_SECURITY, [minio])


def _component_pod(name: str, components: Manifest, field: str, component: str) -> Manifest:
    own: dict[str, Any] = components.get(field, {})
    # read: what a component says of itself goes over what all of them share
    security = own.get("securityContext", components.get("securityContext"))
    config = container("config", "milvusdb/milvus-operator:v1.3.8", CONFIG_SECURITY)
    main = container(component, str(own.get("image", components["image"])), security)
    return secured_pod(name, POD_SECURITY if components.get("runAsNonRoot") else None, [main], [config], VOLUMES)
