"""Definitions of the kinds that the values make the chart write: served by the API server, in the version the chart writes."""

from collections.abc import Iterator
from dataclasses import dataclass

from endcap.contracts.rollout import GROUP, PLURAL, VERSION
from endcap.doctor.check import Check, Outcome, gap, ok
from endcap.doctor.cluster import Cluster
from endcap.doctor.release import Release

ROLLOUTS_DEFINITION = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{PLURAL}.{GROUP}"


@dataclass(frozen=True)
class Definition:
    """A kind by the names in its address."""

    plural: str
    group: str
    version: str

    def __str__(self) -> str:
        return f"{self.plural}.{self.group}/{self.version}"


@dataclass(frozen=True)
class Need:
    """Definitions of one part, and the value that asks for them."""

    part: str
    because: str
    definitions: tuple[Definition, ...]
    fix: str


def checks(release: Release) -> Iterator[Check]:
    for need in needs(release):
        needed = "definitions " + ", ".join(f"{each.plural}/{each.version}" for each in need.definitions)
        yield Check(need.part, "definitions", needed, need.because, lambda cluster, need=need: served(cluster, need))  # type: ignore[misc]
    yield from _rollouts(release)


def needs(release: Release) -> Iterator[Need]:
    """What the values need, one entry a part."""
    values = release.values
    if values["serving.enabled"]:
        yield _kserve()
        if not release.is_standard:
            yield _knative()
    if gateway := _gateway(release):
        yield gateway
    if values["certificate.enabled"] and (values["serving.enabled"] or release.has_collector_route):
        certificates = (Definition("certificates", "cert-manager.io", "v1"),)
        yield Need("cert-manager", "certificate.enabled", certificates, "install cert-manager with its definitions (crds.enabled=true)")
    if release.scales_with_keda:
        scaled = (Definition("scaledobjects", "keda.sh", "v1alpha1"),)
        yield Need("KEDA", "serving.autoscaling.class=keda", scaled, "install KEDA, or set serving.autoscaling.class to hpa")
    yield from _parts(release)
    if values["pipelines.enabled"]:
        yield _pipelines(release)


def _kserve() -> Need:
    group = "serving.kserve.io"
    kinds = (Definition("inferenceservices", group, "v1beta1"), Definition("servingruntimes", group, "v1alpha1"))
    return Need("KServe", "serving.enabled", kinds, "install KServe 0.20 or newer with its definitions")


def _knative() -> Need:
    kinds = (Definition("services", "serving.knative.dev", "v1"),)
    return Need("Knative", "serving.deploymentMode=Knative", kinds, "install Knative Serving, or set serving.deploymentMode to Standard")


def _gateway(release: Release) -> Need | None:
    if not release.has_route:
        return None
    group = "gateway.networking.k8s.io"
    kinds = [Definition("gateways", group, "v1")]
    if release.makes_serving_route or release.has_collector_route:
        kinds.append(Definition("httproutes", group, "v1"))
    elif not release.values["route.gateway.create"]:
        return None
    because = "route.enabled" if release.makes_serving_route or not release.has_collector_route else "collector.route.enabled"
    fix = f"install the definitions of Gateway API and an implementation of it, or set {because} to false"
    return Need("Gateway API", because, tuple(kinds), fix)


def _parts(release: Release) -> Iterator[Need]:
    values = release.values
    if values["kafka.enabled"] or release.makes_topics:
        kinds = ["kafkatopics"] if release.makes_topics else []
        kinds += ["kafkas", "kafkanodepools"] if values["kafka.enabled"] else []
        because = "kafka.enabled" if values["kafka.enabled"] else "kafka.topics.clusterName"
        topics = tuple(Definition(kind, "kafka.strimzi.io", "v1") for kind in kinds)
        yield Need("Strimzi", because, topics, "install Strimzi 0.49 or newer, the first with version v1, or give kafka.bootstrap instead")
    if values["milvus.enabled"]:
        milvus = (Definition("milvuses", "milvus.io", "v1beta1"),)
        yield Need("milvus-operator", "milvus.enabled", milvus, "install milvus-operator, or give milvus.host instead")
    if values["feast.operator.enabled"]:
        feast = (Definition("featurestores", "feast.dev", "v1"),)
        yield Need("feast-operator", "feast.operator.enabled", feast, "install feast-operator, or set feast.operator.enabled to false")
    if values["spark.enabled"] and (values["spark.once"] or values["spark.schedule.enabled"]):
        kinds = ["sparkapplications"] if values["spark.once"] else []
        kinds += ["scheduledsparkapplications"] if values["spark.schedule.enabled"] else []
        spark = tuple(Definition(kind, "sparkoperator.k8s.io", "v1beta2") for kind in kinds)
        yield Need("Spark operator", "spark.enabled", spark, "install the Spark operator, or set spark.enabled to false")
    if release.stream_runner == "spark":
        application = (Definition("sparkapplications", "sparkoperator.k8s.io", "v1beta2"),)
        yield Need("Spark operator", "stream.runner", application, "install the Spark operator, or set stream.runner to process")
    if wanted := tuple(Definition(f"{name.lower()}s", "monitoring.coreos.com", "v1") for name in release.monitors):
        yield Need("Prometheus", "monitoring.*.enabled", wanted, "install the Prometheus operator, or switch monitoring.*.enabled off")


def _pipelines(release: Release) -> Need:
    kinds = [Definition(kind, "pipelines.kubeflow.org", "v2beta1") for kind in ("pipelines", "pipelineversions")]
    if release.schedule_kind == "recurringRun":  # Kubeflow Pipelines keeps its recurring runs as these
        kinds.append(Definition("scheduledworkflows", "kubeflow.org", "v1beta1"))
    return Need(
        "Kubeflow Pipelines", "pipelines.enabled", tuple(kinds), "install Kubeflow Pipelines 2.5 or newer in Kubernetes-native mode"
    )


def served(cluster: Cluster, need: Need) -> Outcome:
    """Whether the API server serves all of them, in the versions that are written."""
    missing = []
    for each in need.definitions:
        if each.plural not in _plurals(cluster, each.group, each.version):
            elsewhere = [version for version in _versions(cluster, each.group) if each.plural in _plurals(cluster, each.group, version)]
            missing.append(f"{each} is served as {', '.join(elsewhere)} only" if elsewhere else f"{each} is missing")
    return gap("; ".join(missing), need.fix) if missing else ok("served")


def _versions(cluster: Cluster, group: str) -> list[str]:
    found = cluster.get(f"/apis/{group}")
    return [str(each["version"]) for each in found["versions"]] if found else []


def _plurals(cluster: Cluster, group: str, version: str) -> set[str]:
    found = cluster.get(f"/apis/{group}/{version}")
    return {str(each["name"]) for each in found["resources"]} if found else set()


def _rollouts(release: Release) -> Iterator[Check]:
    """The definition of Rollout: made by this release, or there already when it is not."""
    values = release.values
    if values["crds.enabled"]:
        yield Check(
            "Rollouts", "definition", f"definition {PLURAL} is this release's to make", "crds.enabled", lambda c: _to_make(c, release)
        )
    elif values["rollouts.operator.enabled"] or values["pipelines.enabled"]:
        because = "rollouts.operator.enabled" if values["rollouts.operator.enabled"] else "pipelines.enabled"
        yield Check("Rollouts", "definition", f"definition {PLURAL}/{VERSION}", because, _rollouts_served)


def _to_make(cluster: Cluster, release: Release) -> Outcome:
    found = cluster.get(ROLLOUTS_DEFINITION)
    if found is None:
        return ok("not there yet: the release makes it")
    annotations = found["metadata"].get("annotations") or {}
    owner = f"{annotations.get('meta.helm.sh/release-namespace', '')}/{annotations.get('meta.helm.sh/release-name', '')}"
    if owner == f"{release.namespace}/{release.name}":
        return ok("this release's own")
    whose = "no release" if owner == "/" else f"release {owner}"
    return gap(f"it belongs to {whose}: Helm refuses to install", "set crds.enabled to false")


def _rollouts_served(cluster: Cluster) -> Outcome:
    found = cluster.get(f"/apis/{GROUP}/{VERSION}") or {"resources": []}
    if any(each["name"] == PLURAL for each in found["resources"]):
        return ok("served")
    return gap("it is missing", "set crds.enabled to true, or install charts/endcap/files/rollouts.endcap.dev.yaml")
