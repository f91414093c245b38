"""The pod that KServe makes of an InferenceService's predictor and its ServingRuntime.

As its 0.20 line does it (`components/predictor.go`) and as `shared/data/kserve-observed` shows it.
"""

import re
from dataclasses import dataclass
from typing import Any

from tests.cluster.kserve.pod_annotations import reaching_pods
from tests.cluster.kserve.service_defaults import default_resources
from tests.cluster.kserve.storage_initializer import SOURCE_ANNOTATION
from tests.cluster.strategic_merge import merged

PREDICTOR = "kserve-container"
TRANSFORMER = "transformer-container"
RUNTIME_POD_FIELDS = ("nodeSelector", "affinity", "tolerations", "volumes", "imagePullSecrets", "schedulerName")
GPU_TAG_RUNTIMES = ("kserve-tensorflow-serving",)
MODEL_FIELDS = ("modelFormat", "protocolVersion", "runtime", "runtimeVersion", "storage", "storageUri")
EXTENSION_FIELDS = (
    "annotations",
    "autoScaling",
    "batcher",
    "canaryTrafficPercent",
    "containerConcurrency",
    "deploymentStrategy",
    "labels",
    "logger",
    "maxReplicas",
    "minReplicas",
    "model",
    "scaleMetric",
    "scaleMetricType",
    "scaleTarget",
    "storageContainerName",
    "timeout",
    "workerSpec",
)
"""What a predictor has beside the fields of a pod spec."""


class Refused(Exception):
    """KServe would not reconcile this; the message says why."""


@dataclass(frozen=True)
class PredictorPod:
    """Metadata and spec for the pod template, before anything of a deployment mode comes in."""

    name: str
    labels: dict[str, str]
    annotations: dict[str, str]
    spec: dict[str, Any]


def predictor_pod(service: dict[str, Any], runtime: dict[str, Any]) -> PredictorPod:
    """The merged pod.

    Args:
        service: the InferenceService.
        runtime: the ServingRuntime that its model names.

    Raises:
        Refused: the runtime has no `kserve-container`, or a template in it names what is not there.
    """
    predictor, metadata = service["spec"]["predictor"], service["metadata"]
    containers = [_model_container(service, runtime)]
    containers += _others(predictor.get("containers", []), runtime["spec"]["containers"], metadata)
    named = [_with_variable(each, metadata["name"]) for each in containers]
    own = {field: value for field, value in predictor.items() if field not in EXTENSION_FIELDS and field != "containers"}
    shared = {field: runtime["spec"][field] for field in RUNTIME_POD_FIELDS if field in runtime["spec"]}
    source = {SOURCE_ANNOTATION: predictor["model"]["storageUri"]} if "storageUri" in predictor["model"] else {}
    return PredictorPod(
        name=f"{metadata['name']}-predictor",
        labels={
            **runtime["spec"].get("labels", {}),
            **metadata.get("labels", {}),
            **predictor.get("labels", {}),
            "serving.kserve.io/inferenceservice": metadata["name"],
            "component": "predictor",
        },
        annotations={
            **runtime["spec"].get("annotations", {}),
            **reaching_pods(metadata.get("annotations", {})),
            **source,
            **reaching_pods(predictor.get("annotations", {})),
        },
        spec={**merged(shared, own), "containers": named},
    )


def _model_container(service: dict[str, Any], runtime: dict[str, Any]) -> dict[str, Any]:
    model = service["spec"]["predictor"]["model"]
    base = next((each for each in runtime["spec"]["containers"] if each["name"] == PREDICTOR), None)
    if base is None:
        raise Refused(f"ServingRuntime {runtime['metadata']['name']} has no container {PREDICTOR}")
    override = {field: value for field, value in model.items() if field not in MODEL_FIELDS}
    container = _merged_container(base, {**override, "name": PREDICTOR, "resources": default_resources(override.get("resources", {}))})
    container = dict(_filled_in(container, service["metadata"]))
    tag = re.search(r":[\w.\-]*$", container["image"])
    if runtime["metadata"]["name"] in GPU_TAG_RUNTIMES and tag and "nvidia.com/gpu" in container["resources"]["limits"]:
        container["image"] += "-gpu"
    return container


def _others(given: list[dict[str, Any]], of_runtime: list[dict[str, Any]], metadata: dict[str, Any]) -> list[dict[str, Any]]:
    base = {each["name"]: each for each in of_runtime}
    override = {each["name"]: each for each in given}
    if TRANSFORMER in base and TRANSFORMER in override:
        transformers = [_merged_container(base[TRANSFORMER], override[TRANSFORMER])]
    else:
        transformers = [each[TRANSFORMER] for each in (base, override) if TRANSFORMER in each]
    rest = [each for each in of_runtime if each["name"] not in (PREDICTOR, TRANSFORMER)]
    return [_filled_in(each, metadata) for each in transformers] + rest + [each for each in given if each["name"] != TRANSFORMER]


def _merged_container(base: dict[str, Any], override: dict[str, Any]) -> dict[str, Any]:
    container = merged(base, override)
    arguments = [*base.get("args", []), *override.get("args", [])]
    return {**container, "args": arguments} if arguments else container


def _with_variable(container: dict[str, Any], service: str) -> dict[str, Any]:
    others = [each for each in container.get("env", []) if each["name"] != "INFERENCE_SERVICE_NAME"]
    return {"resources": {}, **container, "env": [*others, {"name": "INFERENCE_SERVICE_NAME", "value": service}]}


def _filled_in(value: Any, metadata: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        return {key: _filled_in(each, metadata) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled_in(each, metadata) for each in value]
    if isinstance(value, str):
        return re.sub(r"\{\{\s*(.*?)\s*\}\}", lambda match: _looked_up(match.group(1), metadata), value)
    return value


def _looked_up(expression: str, metadata: dict[str, Any]) -> str:
    match expression.lstrip(".").split("."):
        case ["Name" | "Namespace" as field]:
            return str(metadata[field.lower()])
        case ["Labels" | "Annotations" as field, key] if key in metadata.get(field.lower(), {}):
            return str(metadata[field.lower()][key])
    raise Refused(f"template {{{{{expression}}}}}: only .Name, .Namespace, .Labels.KEY and .Annotations.KEY can be looked up")
