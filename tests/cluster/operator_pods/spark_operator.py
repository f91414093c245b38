"""Pods that the Spark operator (2026-08-21) and Spark itself make of a SparkApplication, as Pod Security sees them.

Observed (`shared/data/kserve-observed`, section "Other operators"): its validator accepts the application. Read in its webhook: fields of
driver and executor go to the pod that Spark creates, under the names below. Not known: what Spark does without the operator's webhook,
which the operator's chart installs by default; the contexts would be lost then.
"""

from collections.abc import Iterator
from typing import Any

from tests.cluster.operator_pods.pod import Manifest, pod_of

CONTAINERS = {"driver": "spark-kubernetes-driver", "executor": "spark-kubernetes-executor"}
POD_FIELDS = {"podSecurityContext": "securityContext", "serviceAccount": "serviceAccountName", "tolerations": "tolerations"}
CONTAINER_FIELDS = ("env", "envFrom", "ports", "securityContext", "volumeMounts")


def pods_of_application(application: Manifest) -> Iterator[tuple[str, Manifest]]:
    """Name and pod of driver and executor."""
    yield from _pods(application["metadata"]["name"], application["spec"])


def pods_of_schedule(scheduled: Manifest) -> Iterator[tuple[str, Manifest]]:
    """The same of the application that a schedule makes."""
    yield from _pods(scheduled["metadata"]["name"], scheduled["spec"]["template"])


def _pods(name: str, spec: Manifest) -> Iterator[tuple[str, Manifest]]:
    for role in CONTAINERS:
        yield f"{name}-{role}", _pod(f"{name}-{role}", spec, role)


def _pod(name: str, spec: Manifest, role: str) -> Manifest:
    given: dict[str, Any] = spec[role]
    container = {field: given[field] for field in CONTAINER_FIELDS if field in given}
    container |= {"name": CONTAINERS[role], "image": given.get("image", spec["image"])}
    pod = {theirs: given[ours] for ours, theirs in POD_FIELDS.items() if ours in given}
    pod |= {"containers": [container], "volumes": spec.get("volumes", []), "restartPolicy": "Never"}
    if "nodeSelector" in spec:
        pod["nodeSelector"] = spec["nodeSelector"]
    return pod_of(name, {"metadata": {"labels": given.get("labels", {})}, "spec": pod})
