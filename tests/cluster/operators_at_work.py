"""What a doctor reads of operators: their Deployments with ready pods, their settings, and the few resources they report on.

No operator runs; the documents are as their own manifests have them (versions as in `operator_crds`).
"""

import json
from typing import Any

from tests.cluster.rest import Objects
from tests.waiting import until

OPERATORS = {
    ("kserve", "kserve-controller-manager"): ("manager", "kserve/kserve-controller:v0.20.0-rc0", []),
    ("knative-serving", "controller"): ("controller", "knative/controller:v1.19.0", []),
    ("cert-manager", "cert-manager"): ("cert-manager-controller", "jetstack/cert-manager-controller:v1.21.2", []),
    ("keda", "keda-operator"): ("keda-operator", "kedacore/keda:2.18.0", []),
    ("strimzi", "strimzi-cluster-operator"): ("strimzi-cluster-operator", "strimzi/operator:0.50.0", []),
    ("milvus-operator", "milvus-operator"): ("manager", "milvusdb/milvus-operator:v1.3.8", []),
    ("feast-operator-system", "feast-operator-controller-manager"): ("manager", "feastdev/feast-operator:0.66.0", []),
    ("spark-operator", "spark-operator-controller"): ("spark-operator-controller", "kubeflow/spark-operator:2.3.0", ["--namespaces="]),
    ("kubeflow", "ml-pipeline"): ("ml-pipeline-api-server", "kfp/kfp-api-server:2.5.0", ["--pipelinesStoreKubernetes=true"]),
}
SETTINGS = {
    ("kserve", "inferenceservice-config"): {
        "ingress": json.dumps({"disableIstioVirtualHost": True, "enableGatewayApi": True}),
        "deploy": json.dumps({"defaultDeploymentMode": "Standard"}),
        "storageInitializer": json.dumps({"image": "kserve/storage-initializer:v0.20.0-rc0", "memoryLimit": "1Gi"}),
    },
    ("knative-serving", "config-autoscaler"): {},
    ("knative-serving", "config-features"): {"kubernetes.podspec-securitycontext": "enabled"},
}


def deployment(namespace: str, name: str) -> dict[str, Any]:
    container, image, arguments = OPERATORS[namespace, name]
    labels = {"operator": name}
    pod = {"containers": [{"name": container, "image": image, "args": arguments}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}},
    }


def config_map(namespace: str, name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}, "data": SETTINGS[namespace, name]}


def any_definition(plural: str, kind: str, group: str, version: str = "v1") -> dict[str, Any]:
    """A cluster-wide kind that takes any fields."""
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    names = {"plural": plural, "singular": kind.lower(), "kind": kind, "listKind": f"{kind}List"}
    served = {"name": version, "served": True, "storage": True, "schema": schema}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}", "annotations": {"api-approved.kubernetes.io": "unapproved, for tests"}},
        "spec": {"group": group, "scope": "Cluster", "names": names, "versions": [served]},
    }


def make_ready(objects: Objects, namespace: str, name: str) -> None:
    """Wait for the pods of a Deployment and say what a node would: that they are ready."""

    def is_available() -> bool:
        for pod in objects.list_all("v1", "Pod", namespace):
            if pod["metadata"]["labels"].get("operator") == name and pod.get("status", {}).get("phase") != "Running":
                ready = {"type": "Ready", "status": "True"}
                objects.patch_status(pod, {"phase": "Running", "conditions": [ready]})
        found = objects.get("apps/v1", "Deployment", namespace, name)
        return bool(found.get("status", {}).get("availableReplicas"))

    until(is_available, f"pods of {namespace}/{name}")
