"""All checks of a release, run against a cluster."""

from collections.abc import Iterator

from endcap.core.errors import DependencyUnavailable
from endcap.doctor.check import Check
from endcap.doctor.checks import (
    cert_manager,
    claims,
    definitions,
    gateway,
    keda,
    knative,
    kserve,
    kubeflow_pipelines,
    kubernetes,
    name_lengths,
    namespaces,
    nodes,
    part_operators,
    prometheus,
    quotas,
    rights,
    rollout_definition,
    secrets,
    storage_secrets,
    stores,
)
from endcap.doctor.cluster import Cluster
from endcap.doctor.finding import Report, counted
from endcap.doctor.release import Release
from endcap.doctor.running import TIMEOUT_S, run_checks

KINDS = (
    kubernetes,
    nodes,
    namespaces,
    name_lengths,
    quotas,
    definitions,
    kserve,
    knative,
    gateway,
    cert_manager,
    keda,
    prometheus,
    part_operators,
    kubeflow_pipelines,
    rollout_definition,
    secrets,
    storage_secrets,
    claims,
    stores,
    rights,
)
PARTS = (
    "Kubernetes",
    "Namespace",
    "KServe",
    "Knative",
    "Gateway API",
    "cert-manager",
    "KEDA",
    "Prometheus",
    "Strimzi",
    "milvus-operator",
    "feast-operator",
    "Spark operator",
    "Kubeflow Pipelines",
    "Rollouts",
    "Secrets",
    "Storage",
    "Milvus",
    "Redis",
    "Kafka",
    "Rights",
)
"""In the order of the table."""


def checks_of(release: Release) -> list[Check]:
    """All that the values need, part by part."""
    return sorted(_all(release), key=lambda check: PARTS.index(check.part))


def examine(cluster: Cluster, release: Release, chart_version: str, timeout_s: float = TIMEOUT_S) -> Report:
    """Look at everything.

    Raises:
        DependencyUnavailable: the cluster cannot be reached, or it does not know the caller.
    """
    version = cluster.version()
    if not version:
        raise DependencyUnavailable("what answers is no API server: it has no /version", field="KUBECONFIG")
    findings = tuple(run_checks(checks_of(release), cluster, timeout_s))
    return Report(
        namespace=release.namespace,
        release=release.name,
        chart_version=chart_version,
        kubernetes=version,
        counts=counted(findings),
        findings=findings,
    )


def _all(release: Release) -> Iterator[Check]:
    for kind in KINDS:
        yield from kind.checks(release)
