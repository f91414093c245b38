"""The definitions of the operators whose resources endcap writes, put into a cluster that lacks them."""

import json
from pathlib import Path

from tests.cluster.command import Command

FOLDER = Path(__file__).parents[2].parent / "shared" / "data" / "crds"
GROUPS = (
    "cert-manager.io",
    "feast.dev",
    "gateway.networking.k8s.io",
    "kafka.strimzi.io",
    "keda.sh",
    "milvus.io",
    "monitoring.coreos.com",
    "pipelines.kubeflow.org",
    "serving.knative.dev",
    "serving.kserve.io",
    "sparkoperator.k8s.io",
)
"""Those of the resources that the chart writes and that KServe makes of them."""


def definitions(folder: Path = FOLDER) -> dict[str, Path]:
    """File of each definition by its name; empty where the folder is missing."""
    return {json.loads(path.read_text(encoding="utf-8"))["metadata"]["name"]: path for path in sorted(folder.glob("*/*.json"))}


def present(kubectl: Command) -> set[str]:
    """Names of the definitions that the cluster has."""
    return {line.split("/", 1)[1] for line in kubectl("get", "customresourcedefinitions", "-o", "name").split()}


def missing_groups(kubectl: Command) -> list[str]:
    """Groups of which the cluster has no definition."""
    served = {name.split(".", 1)[1] for name in present(kubectl)}
    return [group for group in GROUPS if group not in served]


def add_missing(kubectl: Command, wanted: dict[str, Path]) -> list[str]:
    """Create those that the cluster does not have, and wait until their resources can be asked for.

    Returns:
        Names of the created ones.
    """
    there = present(kubectl)
    added = [name for name in wanted if name not in there]
    if added:
        kubectl("create", *(f"--filename={wanted[name]}" for name in added))
        kubectl("wait", "--for=condition=Established", "--timeout=60s", *(f"customresourcedefinition/{name}" for name in added))
    return added


def remove(kubectl: Command, names: list[str]) -> None:
    """Delete definitions, and with them all of their resources."""
    if names:
        kubectl("delete", *(f"customresourcedefinition/{name}" for name in names))
