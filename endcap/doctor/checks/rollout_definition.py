"""The definition of Rollout: made by this release, or there already when it is not."""

from collections.abc import Iterator

from endcap.contracts.rollout import GROUP, PLURAL, VERSION
from endcap.doctor.check import Check, Outcome, gap, ok
from endcap.doctor.cluster import Cluster
from endcap.doctor.release import Release

DEFINITION = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{PLURAL}.{GROUP}"


def checks(release: Release) -> Iterator[Check]:
    values = release.values
    if values["crds.enabled"]:
        yield Check(
            "Rollouts", "definition", f"definition {PLURAL} is this release's to make", "crds.enabled", lambda c: _to_make(c, release)
        )
    elif values["rollouts.operator.enabled"] or values["pipelines.enabled"]:
        because = "rollouts.operator.enabled" if values["rollouts.operator.enabled"] else "pipelines.enabled"
        yield Check("Rollouts", "definition", f"definition {PLURAL}/{VERSION}", because, _served)


def _to_make(cluster: Cluster, release: Release) -> Outcome:
    found = cluster.get(DEFINITION)
    if found is None:
        return ok("not there yet: the release makes it")
    annotations = found["metadata"].get("annotations") or {}
    owner = f"{annotations.get('meta.helm.sh/release-namespace', '')}/{annotations.get('meta.helm.sh/release-name', '')}"
    if owner == f"{release.namespace}/{release.name}":
        return ok("this release's own")
    whose = "no release" if owner == "/" else f"release {owner}"
    return gap(f"it belongs to {whose}: Helm refuses to install", "set crds.enabled to false")


def _served(cluster: Cluster) -> Outcome:
    found = cluster.get(f"/apis/{GROUP}/{VERSION}") or {"resources": []}
    if any(each["name"] == PLURAL for each in found["resources"]):
        return ok("served")
    return gap("it is missing", "set crds.enabled to true, or install charts/endcap/files/rollouts.endcap.dev.yaml")
