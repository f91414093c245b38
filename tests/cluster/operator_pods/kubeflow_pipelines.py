"""Pods that Kubeflow Pipelines (2026-08-21) and Argo make of a PipelineVersion's steps, as Pod Security sees them.

Observed (`shared/data/kserve-observed`, section "Other operators"): a Workflow runs with runAsNonRoot and the seccomp profile.
Read in `argocompiler/security_context.go` and in Argo's `workflowpod.go`, which is harder: the template of a step has a pod-level context
of its own with the seccomp profile alone, and a template's context replaces the Workflow's. So a step's main container runs as non-root
only where the server's administrator or the pipeline says so, by the field that the SDK's `set_security_context` writes.
Not known: what the driver's own patch adds beyond the pipeline's fields.
"""

from collections.abc import Iterator
from typing import Any

from tests.cluster.operator_pods.pod import Manifest, container, secured_pod

SECCOMP = {"seccompProfile": {"type": "RuntimeDefault"}}
USER_SECURITY = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, **SECCOMP}
"""Read: what a step's main container gets, whose image is the pipeline's."""
SYSTEM_SECURITY = {**USER_SECURITY, "runAsNonRoot": True}
"""Read: what containers of KFP's own images get, here the launcher."""
ARGO_SECURITY = {**SYSTEM_SECURITY, "runAsUser": 65532}
"""Read in KFP's `workflow-controller-configmap-patch.yaml`: Argo's init and wait containers. Another Argo may leave them bare."""


def pods(version: Manifest) -> Iterator[tuple[str, Manifest]]:
    """Name and pod of each step, and of the driver that goes before it."""
    name, spec = version["metadata"]["name"], version["spec"]
    settings = spec["platformSpec"]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    for executor, given in spec["pipelineSpec"]["deploymentSpec"]["executors"].items():
        yield f"{name}-{executor}", _step(f"{name}-{executor}", given["container"], settings.get(executor, {}))
    driver = container("main", "ghcr.io/kubeflow/kfp-driver", SYSTEM_SECURITY)
    yield f"{name}-driver", secured_pod(f"{name}-driver", {"runAsNonRoot": True, **SECCOMP}, [driver, _argo("wait")], [_argo("init")])


def _step(name: str, given: Manifest, settings: Manifest) -> Manifest:
    asked: dict[str, Any] = settings.get("securityContext", {})
    security: Manifest = {**USER_SECURITY}
    security |= {field: int(asked[field]) for field in ("runAsUser", "runAsGroup") if field in asked}
    if "runAsNonRoot" in asked:
        security["runAsNonRoot"] = asked["runAsNonRoot"]
    volumes = [{"name": f"claim-{number}", "persistentVolumeClaim": {"claimName": each["constant"]}} for number, each in _claims(settings)]
    launcher = container("kfp-launcher", "ghcr.io/kubeflow/kfp-launcher", SYSTEM_SECURITY)
    main = container("main", given["image"], security)
    return secured_pod(name, SECCOMP, [main, _argo("wait")], [_argo("init"), launcher], volumes)


def _argo(name: str) -> Manifest:
    return container(name, "quay.io/argoproj/argoexec", ARGO_SECURITY)


def _claims(settings: Manifest) -> Iterator[tuple[int, Manifest]]:
    yield from enumerate(settings.get("pvcMount", []))
