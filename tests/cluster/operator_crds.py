"""The definitions of the operators whose resources endcap writes, put into a cluster that lacks them."""

from pathlib import Path
from typing import Any

from tests.cluster.cluster import until
from tests.cluster.command import Command

FOLDER = Path(__file__).parents[2].parent / "shared" / "data" / "crds"
NEEDED = (
    "certificates.cert-manager.io",
    "clusterservingruntimes.serving.kserve.io",
    "featurestores.feast.dev",
    "gateways.gateway.networking.k8s.io",
    "httproutes.gateway.networking.k8s.io",
    "inferenceservices.serving.kserve.io",
    "kafkanodepools.kafka.strimzi.io",
    "kafkas.kafka.strimzi.io",
    "kafkatopics.kafka.strimzi.io",
    "milvuses.milvus.io",
    "pipelines.pipelines.kubeflow.org",
    "pipelineversions.pipelines.kubeflow.org",
    "podmonitors.monitoring.coreos.com",
    "prometheusrules.monitoring.coreos.com",
    "scaledobjects.keda.sh",
    "scheduledsparkapplications.sparkoperator.k8s.io",
    "scheduledworkflows.kubeflow.org",
    "servicemonitors.monitoring.coreos.com",
    "services.serving.knative.dev",
    "servingruntimes.serving.kserve.io",
    "sparkapplications.sparkoperator.k8s.io",
)
"""Of the resources that the chart writes and that KServe makes of them. The rest would cost an API server seconds and serve nothing."""
ESTABLISH_TIMEOUT_S = 120.0


def served(api_client: Any) -> set[str]:
    """Resources that the cluster answers for, as `<plural>.<group>`."""
    headers = {"Accept": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"}
    found, *_ = api_client.call_api("/apis", "GET", header_params=headers, auth_settings=["BearerToken"], response_type="object")
    return {
        f"{resource['resource']}.{group['metadata']['name']}"
        for group in found["items"]
        for version in group["versions"]
        for resource in version.get("resources", [])
    }


def find_missing(api_client: Any, folder: Path = FOLDER) -> tuple[dict[str, Path], list[str]]:
    """Files of those that the cluster does not have, by name, and the names for which there is no file either."""
    files = {path.stem: path for path in folder.glob("*/*.json")}
    missing = sorted(set(NEEDED) - served(api_client))
    return {name: files[name] for name in missing if name in files}, [name for name in missing if name not in files]


def add(api_client: Any, kubectl: Command, wanted: dict[str, Path]) -> None:
    """Create definitions, and wait until their resources can be asked for."""
    if wanted:
        kubectl("create", *(f"--filename={path}" for path in wanted.values()))
        until(lambda: set(wanted) <= served(api_client), "resources of the operators", ESTABLISH_TIMEOUT_S)


def remove(kubectl: Command, names: list[str]) -> None:
    """Delete definitions, and with them all of their resources."""
    if names:
        kubectl("delete", *(f"customresourcedefinition/{name}" for name in names))
