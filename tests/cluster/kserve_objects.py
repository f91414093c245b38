"""The objects that KServe creates around a predictor's pod: Deployment, Service and autoscaler, or a Knative Service."""

from typing import Any

from tests.cluster.kserve_pod import PREDICTOR, TRANSFORMER, PredictorPod

STANDARD, KNATIVE = "Standard", "Knative"
MODE_ANNOTATION = "serving.kserve.io/deploymentMode"
AUTOSCALER_ANNOTATION = "serving.kserve.io/autoscalerClass"
DEFAULT_PORT = 8080
DEFAULT_UTILIZATION = 80


def deployment_mode(service: dict[str, Any]) -> str:
    """Standard or Knative, which is the default of KServe's chart; what the status has once is kept."""
    kept = service.get("status", {}).get("deploymentMode")
    asked = service["metadata"].get("annotations", {}).get(MODE_ANNOTATION, KNATIVE)
    return str(kept or {"RawDeployment": STANDARD, "Serverless": KNATIVE}.get(asked, asked))


def autoscaler_class(pod: PredictorPod) -> str:
    """Who scales in Standard mode: `hpa`, `keda`, `none` or `external`."""
    return pod.annotations.get(AUTOSCALER_ANNOTATION, "hpa")


def standard_objects(service: dict[str, Any], pod: PredictorPod) -> list[dict[str, Any]]:
    """Deployment, Service, and an autoscaler unless somebody else scales."""
    metadata = _metadata(service, pod)
    objects = [_deployment(service, pod, metadata), _service(service, pod, metadata)]
    match autoscaler_class(pod):
        case "hpa":
            return [*objects, _horizontal_pod_autoscaler(service, pod, metadata)]
        case "keda":
            return [*objects, _scaled_object(service, pod, metadata)]
    return objects


def knative_service(service: dict[str, Any], pod: PredictorPod, component: dict[str, Any]) -> dict[str, Any]:
    """The Knative Service, its traffic split between the newest revision and the last one that had all of it.

    Args:
        component: `status.components.predictor` of the InferenceService.
    """
    predictor = service["spec"]["predictor"]
    scale = {f"autoscaling.knative.dev/{theirs}": str(predictor[ours]) for theirs, ours in _SCALE_FIELDS if predictor.get(ours)}
    scale.setdefault("autoscaling.knative.dev/min-scale", str(predictor.get("minReplicas", 1)))
    annotations = {"autoscaling.knative.dev/class": "kpa.autoscaling.knative.dev", **pod.annotations, **scale}
    extra = {ours: predictor[theirs] for ours, theirs in _REVISION_FIELDS if theirs in predictor}
    template = {"metadata": {"labels": pod.labels, "annotations": annotations}, "spec": {**pod.spec, **extra}}
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": pod.name, "namespace": service["metadata"]["namespace"], "labels": pod.labels, **_owned(service)},
        "spec": {"template": template, "traffic": _traffic(predictor.get("canaryTrafficPercent"), component)},
    }


_REVISION_FIELDS = (
    ("timeoutSeconds", "timeout"),
    ("responseStartTimeoutSeconds", "timeout"),
    ("containerConcurrency", "containerConcurrency"),
)
_SCALE_FIELDS = (("min-scale", "minReplicas"), ("max-scale", "maxReplicas"), ("target", "scaleTarget"), ("metric", "scaleMetric"))


def _traffic(canary: int | None, component: dict[str, Any]) -> list[dict[str, Any]]:
    last = component.get("latestRolledoutRevision", "")
    if canary is None or not last:
        return [{"latestRevision": True, "percent": 100}]
    split: list[dict[str, Any]] = [{"latestRevision": True, "percent": canary}]
    if canary < 100:
        split.append({"latestRevision": False, "percent": 100 - canary, "revisionName": last, "tag": "prev"})
    return split


def _metadata(service: dict[str, Any], pod: PredictorPod) -> dict[str, Any]:
    return {
        "name": pod.name,
        "namespace": service["metadata"]["namespace"],
        "labels": {**pod.labels, "app": f"isvc.{pod.name}"},
        "annotations": pod.annotations,
    }


def _owned(service: dict[str, Any]) -> dict[str, Any]:
    owner = {field: service[field] for field in ("apiVersion", "kind")}
    owner |= {field: service["metadata"][field] for field in ("name", "uid")}
    return {"ownerReferences": [{**owner, "controller": True, "blockOwnerDeletion": True}]}


def _deployment(service: dict[str, Any], pod: PredictorPod, metadata: dict[str, Any]) -> dict[str, Any]:
    strategy = service["spec"]["predictor"].get("deploymentStrategy")
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}
    containers = [_with_readiness_probe(each) for each in pod.spec["containers"]]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {**metadata, **_owned(service)},
        "spec": {
            "selector": {"matchLabels": {"app": metadata["labels"]["app"]}},
            "strategy": strategy or rolling,
            "template": {"metadata": metadata, "spec": {**pod.spec, "containers": containers}},
        },
    }


def _with_readiness_probe(container: dict[str, Any]) -> dict[str, Any]:
    if "readinessProbe" in container or container["name"] not in (PREDICTOR, TRANSFORMER):
        return container
    port = container["ports"][0]["containerPort"] if container.get("ports") else DEFAULT_PORT
    return {**container, "readinessProbe": {"tcpSocket": {"port": port}}}


def _service(service: dict[str, Any], pod: PredictorPod, metadata: dict[str, Any]) -> dict[str, Any]:
    containers = pod.spec["containers"]
    facing = next((each for each in containers if each["name"] == TRANSFORMER), containers[0])
    declared = facing.get("ports") or [{"name": pod.name, "containerPort": DEFAULT_PORT}]
    ports = [
        {
            **({"name": each["name"]} if "name" in each else {}),
            "port": each["containerPort"] if number else 80,
            "targetPort": each["containerPort"],
            "protocol": each.get("protocol", "TCP"),
        }
        for number, each in enumerate(declared)
    ]
    spec = {"selector": {"app": metadata["labels"]["app"]}, "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {**metadata, **_owned(service)}, "spec": spec}


def _bounds(predictor: dict[str, Any]) -> tuple[int, int]:
    least = predictor.get("minReplicas") or 1
    return least, max(least, predictor.get("maxReplicas", 0))


def _horizontal_pod_autoscaler(service: dict[str, Any], pod: PredictorPod, metadata: dict[str, Any]) -> dict[str, Any]:
    predictor = service["spec"]["predictor"]
    least, most = _bounds(predictor)
    target = {"type": "Utilization", "averageUtilization": predictor.get("scaleTarget", DEFAULT_UTILIZATION)}
    simple = [{"type": "Resource", "resource": {"name": predictor.get("scaleMetric", "cpu"), "target": target}}]
    scaling = predictor.get("autoScaling", {})
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {**metadata, **_owned(service)},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": pod.name},
            "minReplicas": least,
            "maxReplicas": most,
            "metrics": [each for each in scaling.get("metrics", []) if each["type"] == "Resource"] or simple,
            "behavior": scaling.get("behavior", {}),
        },
    }


def _scaled_object(service: dict[str, Any], pod: PredictorPod, metadata: dict[str, Any]) -> dict[str, Any]:
    predictor = service["spec"]["predictor"]
    least, most = _bounds(predictor)
    scaling = predictor.get("autoScaling", {})
    asked = scaling.get("behavior", {})
    windows = {
        direction: {"stabilizationWindowSeconds": asked.get(direction, {}).get("stabilizationWindowSeconds", default)}
        for direction, default in (("scaleDown", 300), ("scaleUp", 0))
    }
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": {**metadata, **_owned(service)},
        "spec": {
            "scaleTargetRef": {"name": pod.name},
            "minReplicaCount": least,
            "maxReplicaCount": most,
            "advanced": {"horizontalPodAutoscalerConfig": {"behavior": windows}, "scalingModifiers": {}},
            "triggers": [_trigger(each) for each in scaling.get("metrics", [])],
        },
    }


def _trigger(metric: dict[str, Any]) -> dict[str, Any]:
    if metric["type"] == "Resource":
        resource = metric["resource"]
        kind = resource["target"]["type"]
        value = resource["target"].get(kind[0].lower() + kind[1:], resource["target"].get("averageUtilization", DEFAULT_UTILIZATION))
        return {"type": resource["name"], "metricType": kind, "metadata": {"value": str(value)}}
    external = metric["external"]
    wanted = {
        "query": external["metric"]["query"],
        "serverAddress": external["metric"]["serverAddress"],
        "threshold": str(external["target"]["value"]),
    }
    if external["metric"].get("namespace"):
        wanted["namespace"] = external["metric"]["namespace"]
    return {"type": external["metric"]["backend"], "metadata": wanted}
