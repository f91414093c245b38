"""Pods as the operators behind the chart's objects would make them, for the API server to judge."""

from collections.abc import Iterator
from typing import Any

POD_PATHS = {
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}
SPARK_KINDS = {"SparkApplication": ("spec",), "ScheduledSparkApplication": ("spec", "template")}
SPARK_CONTAINERS = {"driver": "spark-kubernetes-driver", "executor": "spark-kubernetes-executor"}
SPARK_FIELDS = {"podSecurityContext": "securityContext", "serviceAccount": "serviceAccountName", "tolerations": "tolerations"}
"""Fields of a SparkApplication's driver or executor that go to the pod, and their names there."""
CONTAINER_FIELDS = ("env", "envFrom", "ports", "securityContext", "volumeMounts")


def pods_in(rendered: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and pod of each pod that comes of an object: built-in kinds and Spark's. Others' come from what their operators make."""
    kind, name = rendered["kind"], rendered["metadata"]["name"]
    if kind == "Pod":
        yield name, pod_of(name, rendered)
    elif kind in POD_PATHS:
        template = _at(rendered, POD_PATHS[kind])
        claimed = [_claimed(each["metadata"]["name"]) for each in rendered["spec"].get("volumeClaimTemplates", [])]
        volumes = [*template["spec"].get("volumes", []), *claimed]
        yield name, pod_of(name, {**template, "spec": {**template["spec"], "volumes": volumes}})
    elif kind in SPARK_KINDS:
        spec = _at(rendered, SPARK_KINDS[kind])
        for role in ("driver", "executor"):
            yield f"{name}-{role}", _spark_pod(f"{name}-{role}", spec, role)


def pod_of(name: str, template: dict[str, Any]) -> dict[str, Any]:
    """A Pod from a template."""
    labels = template["metadata"].get("labels", {})
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}, "spec": template["spec"]}


def _claimed(volume: str) -> dict[str, Any]:
    return {"name": volume, "persistentVolumeClaim": {"claimName": volume}}


def _spark_pod(name: str, spec: dict[str, Any], role: str) -> dict[str, Any]:
    given = spec[role]
    container = {field: given[field] for field in CONTAINER_FIELDS if field in given}
    container |= {"name": SPARK_CONTAINERS[role], "image": given.get("image", spec["image"])}
    pod = {theirs: given[ours] for ours, theirs in SPARK_FIELDS.items() if ours in given}
    pod |= {"containers": [container], "volumes": spec.get("volumes", []), "restartPolicy": "Never"}
    if "nodeSelector" in spec:
        pod["nodeSelector"] = spec["nodeSelector"]
    return pod_of(name, {"metadata": {"labels": given.get("labels", {})}, "spec": pod})


def _at(rendered: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    for step in path:
        rendered = rendered[step]
    return rendered
