"""Rights that the chart's Roles give to the accounts of its parts."""

from collections.abc import Iterator
from dataclasses import dataclass

from endcap.contracts.rollout import GROUP, PLURAL
from endcap.doctor.cluster import Right
from endcap.doctor.release import Release


@dataclass(frozen=True)
class Account:
    """A service account and what it must be able to do."""

    part: str
    namespace: str
    name: str
    because: str
    rights: tuple[Right, ...]


def accounts(release: Release) -> Iterator[Account]:
    """Accounts of the values that have Roles."""
    values, own = release.values, release.namespace
    if values["rollouts.operator.enabled"]:
        yield Account("rollout operator", own, release.operator_account, "rollouts.operator.enabled", tuple(_operator(own)))
    if values["pipelines.enabled"]:
        place = release.pipeline_namespace
        rights = _rights(own, GROUP, PLURAL, "get list create")
        if not values["pipelines.serviceAccountName"]:
            rights += _rights(place, "argoproj.io", "workflowtaskresults", "create patch")
            rights.append(Right("get", "", "configmaps", place, "kfp-launcher"))
            rights.append(Right("get", "", "secrets", place, "mlpipeline-minio-artifact"))
        yield Account("pipeline steps", place, release.pipeline_account, "pipelines.enabled", tuple(rights))
    if kind := release.schedule_kind:
        because = "pipelines.schedule" if values["pipelines.schedule.enabled"] else "pipelines.host, hooks.enabled"
        rights = list(_schedule(release.pipeline_namespace, kind, has_hooks=bool(values["hooks.enabled"])))
        yield Account("training schedule", own, release.schedule_account, because, tuple(rights))
    if values["spark.enabled"]:
        verbs = "get list watch create update patch delete deletecollection"
        made = ("pods", "services", "configmaps", "persistentvolumeclaims")
        rights = [right for resource in made for right in _rights(own, "", resource, verbs)]
        yield Account("Spark driver", own, release.spark_account, "spark.enabled", tuple(rights))


def _operator(namespace: str) -> list[Right]:
    return [
        *_rights(namespace, GROUP, PLURAL, "get list watch patch"),
        *_rights(namespace, GROUP, f"{PLURAL}/status", "patch"),
        *_rights(namespace, "serving.kserve.io", "inferenceservices", "get list create patch delete"),
        *_rights(namespace, "gateway.networking.k8s.io", "httproutes", "get patch"),
        *_rights(namespace, "apps", "deployments", "get"),
        *_rights(namespace, "serving.knative.dev", "services", "get"),
        *_rights(namespace, "", "pods", "list"),
        *_rights(namespace, "", "events", "create"),
    ]


def _schedule(namespace: str, kind: str, *, has_hooks: bool) -> Iterator[Right]:
    """What Kubeflow Pipelines for many users asks about whoever calls it; its word for recurring runs is jobs."""
    group = "pipelines.kubeflow.org"
    if kind != "removal":
        for resource in ("pipelines", "pipelines/versions"):
            yield from _rights(namespace, group, resource, "get list")
        yield from _rights(namespace, group, "experiments", "get list create")
    if kind == "cronJob":
        yield from _rights(namespace, group, "runs", "get create")
    if kind == "recurringRun" or has_hooks:
        yield from _rights(namespace, group, "jobs", "get list delete" + (" create" if kind == "recurringRun" else ""))


def _rights(namespace: str, group: str, resource: str, verbs: str) -> list[Right]:
    return [Right(verb, group, resource, namespace) for verb in verbs.split()]
