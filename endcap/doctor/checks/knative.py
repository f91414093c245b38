"""Knative Serving: its version, the features that the InferenceService needs, and the ConfigMap KServe reads."""

from collections.abc import Iterator

from endcap.doctor.check import Check, Outcome, gap, ok
from endcap.doctor.checks import operators
from endcap.doctor.checks.operators import Operator
from endcap.doctor.cluster import Cluster
from endcap.doctor.release import Release

NAMESPACE = "knative-serving"
KNATIVE = Operator("Knative Serving", "controller", (NAMESPACE,), container="controller")
ON_BY_DEFAULT = ("kubernetes.podspec-volumes-emptydir", "multi-container")


def checks(release: Release) -> Iterator[Check]:
    if release.is_standard or not release.values["serving.enabled"]:
        return
    mode = "serving.deploymentMode=Knative"
    yield Check("Knative", "version", "Knative Serving", mode, _version)
    yield Check("Knative", "config-autoscaler", "ConfigMap config-autoscaler, which KServe reads", mode, _autoscaler)
    for feature, because in features(release).items():
        yield Check(
            "Knative",
            f"feature-{feature.rpartition('.')[2]}",
            f"feature {feature}",
            because,
            lambda cluster, feature=feature: _feature(cluster, feature),  # type: ignore[misc]
        )


def features(release: Release) -> dict[str, str]:
    """Features that must be enabled, each with the value that needs it."""
    values = release.values
    downloads = not release.storage_uri.startswith("pvc://") and values["serving.knative.podSecurityContext"] is not False
    wanted = {
        "kubernetes.podspec-securitycontext": ("bundles.storageUri", downloads),
        "kubernetes.podspec-persistent-volume-claim": ("serving.live.claimName, evidence.enabled", release.live_claim),
        "kubernetes.podspec-nodeselector": ("serving.nodeSelector", values["serving.nodeSelector"]),
        "kubernetes.podspec-tolerations": ("serving.tolerations", values["serving.tolerations"]),
        "kubernetes.podspec-affinity": ("serving.affinity", values["serving.affinity"]),
        "kubernetes.podspec-priorityclassname": ("serving.priorityClassName", values["serving.priorityClassName"]),
        "multi-container-probing": ("serving.knative.multiContainerProbing", values["serving.knative.multiContainerProbing"]),
    }
    always = dict.fromkeys(ON_BY_DEFAULT, "serving.deploymentMode=Knative")
    return always | {feature: because for feature, (because, is_wanted) in wanted.items() if is_wanted}


def _version(cluster: Cluster) -> Outcome:
    return operators.standing(operators.find(cluster, KNATIVE, only_there=True), KNATIVE, fix="")


def _autoscaler(cluster: Cluster) -> Outcome:
    if cluster.get(f"/api/v1/namespaces/{NAMESPACE}/configmaps/config-autoscaler") is not None:
        return ok("there")
    return gap(f"it is not in {NAMESPACE}: KServe stops with an error", "restore it from Knative's own manifests; it may be empty")


def _feature(cluster: Cluster, feature: str) -> Outcome:
    config = cluster.get(f"/api/v1/namespaces/{NAMESPACE}/configmaps/config-features")
    default = "enabled" if feature in ON_BY_DEFAULT else "disabled"
    found = str(((config or {}).get("data") or {}).get(feature, ""))
    if (found or default).lower() == "enabled":
        return ok(found or f"{default} by default")
    patch = (
        f"""kubectl patch configmap config-features --namespace {NAMESPACE} --type merge --patch '{{"data": {{"{feature}": "enabled"}}}}'"""
    )
    return gap(found or f"not set, {default} by default", patch)
