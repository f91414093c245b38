"""Nodes: whether there is one that serving pods and training steps may run on, with the GPUs they ask for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from endcap.doctor.check import Check, Outcome, ok, warning
from endcap.doctor.checks.quotas import quantity
from endcap.doctor.cluster import Document
from endcap.doctor.release import Release


@dataclass(frozen=True)
class Placement:
    """What pods ask of a node."""

    what: str
    because: str
    labels: Mapping[str, str]
    resource: str
    count: int


def checks(release: Release) -> Iterator[Check]:
    for placement in _placements(release):
        gpus = f" with {placement.count} {placement.resource}" if placement.count else ""
        yield Check(
            "Kubernetes",
            f"nodes-{placement.what.replace(' ', '-')}",
            f"a node for {placement.what}{gpus}",
            placement.because,
            lambda cluster, placement=placement: judge(placement, cluster.items("/api/v1/nodes")),  # type: ignore[misc]
        )


def judge(placement: Placement, nodes: list[Document]) -> Outcome:
    """Whether a node fits now; none is no gap, since an autoscaler may add one."""
    labelled = [each for each in nodes if placement.labels.items() <= (each["metadata"].get("labels") or {}).items()]
    able = [each for each in labelled if _offers(each, placement)]
    if able:
        return ok(f"{len(able)} of {len(nodes)} nodes")
    wanted = ", ".join(f"{key}={value}" for key, value in placement.labels.items())
    found = (
        f"none of {len(nodes)} nodes has the labels {wanted}" if not labelled else f"no node with its labels offers {placement.resource}"
    )
    return warning(found, f"unless an autoscaler adds such a node, change {placement.because}")


def _placements(release: Release) -> Iterator[Placement]:
    values = release.values
    serving = values["serving.modelServer.gpu.count"] or 0
    if values["serving.enabled"] and (serving or values["serving.nodeSelector"]):
        because = "serving.nodeSelector, serving.modelServer.gpu" if serving else "serving.nodeSelector"
        resource = str(values["serving.modelServer.gpu.resource"])
        yield Placement("serving pods", because, values["serving.nodeSelector"] or {}, resource, int(serving))
    if values["pipelines.enabled"] and values["pipelines.gpus.count"]:
        gpus = values["pipelines.gpus"]
        yield Placement("training steps", "pipelines.gpus", gpus.get("nodeSelector") or {}, str(gpus["resource"]), int(gpus["count"]))


def _offers(node: Document, placement: Placement) -> bool:
    offered = (node.get("status", {}).get("allocatable") or {}).get(placement.resource, "0")
    return quantity(offered) >= placement.count
