"""Kinds of objects that the chart makes of values, by the names in their addresses, and the namespace each goes to."""

from collections.abc import Iterator
from dataclasses import dataclass

from endcap.doctor.release import Release

CORE, APPS, BATCH, RBAC = "", "apps", "batch", "rbac.authorization.k8s.io"
NETWORK, GATEWAY, MONITORS = "networking.k8s.io", "gateway.networking.k8s.io", "monitoring.coreos.com"
KSERVE, STRIMZI, SPARK = "serving.kserve.io", "kafka.strimzi.io", "sparkoperator.k8s.io"


@dataclass(frozen=True, order=True)
class Kind:
    """Where objects of a kind are made; an empty namespace is the whole cluster."""

    group: str
    plural: str
    namespace: str


def rendered_kinds(release: Release) -> set[Kind]:
    """Everything that `helm install` creates."""
    own = release.namespace
    kinds = {Kind(group, plural, own) for group, plural in _own(release)}
    if release.values["hooks.enabled"] or (_has_registry(release) and release.values["schemaRegistry.publish"]):
        kinds.add(Kind(BATCH, "jobs", own))
    if release.values["pipelines.enabled"]:
        kinds |= {*_pipelines(release), *_schedule(release)}
    for group, plural, is_made in (
        ("milvus.io", "milvuses", release.values["milvus.enabled"]),
        ("feast.dev", "featurestores", release.values["feast.operator.enabled"]),
        (CORE, "secrets", release.values["feast.operator.enabled"]),
        (NETWORK, "networkpolicies", release.values["parts.namespace"] and release.values["networkPolicies.enabled"]),
    ):
        if is_made:
            kinds.add(Kind(group, plural, release.parts_namespace))
    if release.values["crds.enabled"]:
        kinds.add(Kind("apiextensions.k8s.io", "customresourcedefinitions", ""))
    return kinds


def _own(release: Release) -> Iterator[tuple[str, str]]:
    """Kinds in the release's namespace."""
    values = release.values
    parts = ("serving", "rollouts.operator", "redis", "spark")
    configured = (*parts, "pipelines", "monitoring.dashboards", "stream")
    has_stateful = release.runs_any("redis", "collector", "schemaRegistry") or release.stream_runner == "process"
    makes_roles = release.runs_any("rollouts.operator", "spark", "pipelines") or release.stream_runner == "spark"
    accounts = release.runs_any(*parts, "collector", "stream") or _has_registry(release)
    wanted: tuple[tuple[str, str, object], ...] = (
        (NETWORK, "networkpolicies", values["networkPolicies.enabled"]),
        (CORE, "serviceaccounts", accounts),
        (
            CORE,
            "configmaps",
            release.runs_any(*configured) or (values["customTypes"] and values["collector.enabled"]),
        ),
        (CORE, "persistentvolumeclaims", _makes_claims(release)),
        (
            CORE,
            "services",
            release.runs_any("rollouts.operator", "redis", "collector", "stream", "schemaRegistry"),
        ),
        (APPS, "deployments", values["rollouts.operator.enabled"]),
        (APPS, "statefulsets", has_stateful),
        (BATCH, "cronjobs", values["evidence.enabled"]),
        (RBAC, "roles", makes_roles),
        (RBAC, "rolebindings", makes_roles),
        (STRIMZI, "kafkas", values["kafka.enabled"]),
        (STRIMZI, "kafkanodepools", values["kafka.enabled"]),
        (STRIMZI, "kafkatopics", release.makes_topics),
        (SPARK, "sparkapplications", (values["spark.enabled"] and values["spark.once"]) or release.stream_runner == "spark"),
        (SPARK, "scheduledsparkapplications", values["spark.enabled"] and values["spark.schedule.enabled"]),
        *((MONITORS, f"{name.lower()}s", True) for name in release.monitors),
    )
    yield from ((group, plural) for group, plural, is_made in wanted if is_made)
    if values["serving.enabled"]:
        yield from _serving(release)
    if values["collector.enabled"]:
        yield from _collector(release)
    if release.has_route and values["route.gateway.create"]:
        yield GATEWAY, "gateways"
    if values["certificate.enabled"] and (values["serving.enabled"] or release.has_collector_route):
        yield "cert-manager.io", "certificates"


def _has_registry(release: Release) -> bool:
    return bool(release.values["schemaRegistry.url"] or release.values["schemaRegistry.enabled"])


def _serving(release: Release) -> Iterator[tuple[str, str]]:
    values = release.values
    yield KSERVE, "inferenceservices"
    yield KSERVE, "servingruntimes"
    if values["serving.podDisruptionBudget.enabled"]:
        yield "policy", "poddisruptionbudgets"
    if release.makes_serving_route:
        yield GATEWAY, "httproutes"


def _collector(release: Release) -> Iterator[tuple[str, str]]:
    values = release.values
    if values["collector.autoscaling.enabled"]:
        yield "autoscaling", "horizontalpodautoscalers"
    if values["collector.podDisruptionBudget.enabled"]:
        yield "policy", "poddisruptionbudgets"
    if values["collector.route.enabled"]:
        yield GATEWAY, "httproutes"


def _pipelines(release: Release) -> Iterator[Kind]:
    namespace = release.pipeline_namespace
    yield Kind("pipelines.kubeflow.org", "pipelines", namespace)
    yield Kind("pipelines.kubeflow.org", "pipelineversions", namespace)
    yield Kind(CORE, "configmaps", namespace)
    if release.values["networkPolicies.enabled"]:
        yield Kind(NETWORK, "networkpolicies", namespace)
    if not release.values["pipelines.serviceAccountName"]:
        yield Kind(CORE, "serviceaccounts", namespace)
        yield Kind(RBAC, "roles", namespace)
        yield Kind(RBAC, "rolebindings", namespace)


def _schedule(release: Release) -> Iterator[Kind]:
    own, values = release.namespace, release.values
    kind = release.schedule_kind
    if kind == "cronJob":
        yield Kind(BATCH, "cronjobs", own)
    if kind == "recurringRun":
        yield Kind(BATCH, "jobs", own)
    if kind:
        yield Kind(CORE, "serviceaccounts", own)
        yield Kind(RBAC, "roles", release.pipeline_namespace)
        yield Kind(RBAC, "rolebindings", release.pipeline_namespace)
        if values["networkPolicies.enabled"]:
            yield Kind(NETWORK, "networkpolicies", own)


def _makes_claims(release: Release) -> bool:
    values = release.values
    makes = (
        (release.uses_claim, "bundles"),
        (values["pipelines.enabled"] or values["spark.enabled"], "workspace"),
        (release.live_claim and not values["serving.live.claimName"], "evidence"),
        (release.stream_runner, "stream"),
        (release.stream_spark_claim, "stream.spark"),
    )
    return any(is_used and values[f"{name}.claim.create"] for is_used, name in makes)
