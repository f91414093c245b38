"""Pods that come of the chart's objects: of built-in kinds by their template, of custom resources as their operators make them."""

from collections.abc import Callable, Iterator
from typing import Any

from tests.cluster.operator_pods import feast_operator, kubeflow_pipelines, milvus_operator, spark_operator, strimzi
from tests.cluster.operator_pods.pod import pod_of

__all__ = ["MADE_BY_OPERATORS", "POD_PATHS", "pod_of", "pods_in"]

Made = Iterator[tuple[str, dict[str, Any]]]
POD_PATHS = {
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}
MADE_BY_OPERATORS: dict[str, Callable[[dict[str, Any]], Made]] = {
    "FeatureStore": feast_operator.pods,
    "Kafka": strimzi.pods_of_kafka,
    "KafkaNodePool": strimzi.pods_of_node_pool,
    "Milvus": milvus_operator.pods,
    "PipelineVersion": kubeflow_pipelines.pods,
    "ScheduledSparkApplication": spark_operator.pods_of_schedule,
    "SparkApplication": spark_operator.pods_of_application,
}


def pods_in(rendered: dict[str, Any]) -> Made:
    """Name and pod of each pod that comes of an object; an InferenceService's are KServe's to make, from its runtime too."""
    kind, name = rendered["kind"], rendered["metadata"]["name"]
    if kind == "Pod":
        yield name, pod_of(name, rendered)
    elif kind in POD_PATHS:
        template = _at(rendered, POD_PATHS[kind])
        claimed = [_claimed(each["metadata"]["name"]) for each in rendered["spec"].get("volumeClaimTemplates", [])]
        volumes = [*template["spec"].get("volumes", []), *claimed]
        yield name, pod_of(name, {**template, "spec": {**template["spec"], "volumes": volumes}})
    elif kind in MADE_BY_OPERATORS:
        yield from MADE_BY_OPERATORS[kind](rendered)


def _claimed(volume: str) -> dict[str, Any]:
    return {"name": volume, "persistentVolumeClaim": {"claimName": volume}}


def _at(rendered: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    for step in path:
        rendered = rendered[step]
    return rendered
