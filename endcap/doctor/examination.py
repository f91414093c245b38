"""All checks of a release, run against a cluster at once; one that fails is an unknown finding, never a good one."""

import threading
import time
from collections.abc import Iterator, Sequence

from endcap.core.errors import DependencyUnavailable, EndcapError
from endcap.doctor.check import Check, Outcome, unknown
from endcap.doctor.checks import (
    cert_manager,
    claims,
    definitions,
    gateway,
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
    schema_registry,
    secrets,
    stores,
)
from endcap.doctor.cluster import Cluster, NotAllowed
from endcap.doctor.finding import Finding, Report, counted
from endcap.doctor.release import Release

TIMEOUT_S = 30.0
READ_MORE = "run it as somebody who may read this, or ask the cluster's administrators"


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
    prometheus,
    part_operators,
    kubeflow_pipelines,
    secrets,
    claims,
    stores,
    schema_registry,
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
    "Schema registry",
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


class _Look(threading.Thread):
    """One check in a thread of its own, which ends with the program even when what it waits for never answers."""

    def __init__(self, check: Check, cluster: Cluster) -> None:
        super().__init__(name=check.name, daemon=True)
        self._check = check
        self._cluster = cluster
        self.outcome: Outcome | None = None

    def run(self) -> None:
        try:
            self.outcome = self._check.look(self._cluster)
        except NotAllowed as error:
            self.outcome = unknown(error.message, READ_MORE)
        except EndcapError as error:
            self.outcome = unknown(str(error))
        except Exception as error:
            self.outcome = unknown(f"the check failed: {type(error).__name__}: {error}")


def run_checks(checks: Sequence[Check], cluster: Cluster, timeout_s: float = TIMEOUT_S) -> list[Finding]:
    """Findings in the order of the checks.

    Args:
        timeout_s: within which all of them have to answer; those that have not are unknown.
    """
    looks = [_Look(check, cluster) for check in checks]
    deadline = time.monotonic() + timeout_s
    for look in looks:
        look.start()
    findings = []
    for check, look in zip(checks, looks, strict=True):
        look.join(max(0.0, deadline - time.monotonic()))
        outcome = unknown(f"no answer within {timeout_s:g} s") if look.is_alive() else look.outcome
        if outcome is not None:
            findings.append(check.finding(outcome))
    return findings
