"""Rules: what the validating webhook of InferenceServices refuses, each with what KServe says.

An unknown field is not among them: "an unknown field is refused by the webhook (strict decoding)" is the API server's own strict field
validation by now. With `fieldValidation` Ignore or Warn it drops the field before any webhook sees the object, so that no webhook can
refuse it; with Strict, which kubectl and Helm 4 ask for, it refuses the field before the webhook is called. "A second container called
`kserve-container` is refused by the Deployment", not here: the API server does it when KServe writes one.

Kinder than the real one: containers' environment, several storage addresses, local models and worker pods are not looked at.
"""

import re
from collections.abc import Callable
from typing import Any

MODE = "serving.kserve.io/deploymentMode"
AUTOSCALER = "serving.kserve.io/autoscalerClass"
AUTOSCALERS = ("hpa", "keda", "external", "none")
NAME = "[a-z]([-a-z0-9]*[a-z0-9])?"
Rule = Callable[[dict[str, Any], dict[str, Any]], str | None]


def refusal(service: dict[str, Any], before: dict[str, Any] | None) -> str | None:
    """Why the webhook refuses an InferenceService, None where it does not.

    Args:
        before: the stored object, with its status; None at a creation.
    """
    return next((reason for rule in RULES if (reason := rule(service, before or {}))), None)


def _mode_is_kept(service: dict[str, Any], before: dict[str, Any]) -> str | None:
    """Observed: "`serving.kserve.io/deploymentMode` cannot be changed on an existing object." KServe compares with the status."""
    present = before.get("status", {}).get("deploymentMode")
    wanted = _annotations(service).get(MODE)
    if present and wanted and wanted != present and "deletionTimestamp" not in service["metadata"]:
        return f"update rejected: deploymentMode cannot be changed from '{present}' to '{wanted}'"
    return None


def _name_fits(service: dict[str, Any], before: dict[str, Any]) -> str | None:
    """Read in KServe's code, not observed: names that the API server takes and KServe does not begin with a digit or have a dot."""
    name = service["metadata"].get("name", "")
    if re.fullmatch(NAME, name):
        return None
    return (
        f"the InferenceService \"{name}\" is invalid: a InferenceService name must consist of lower case alphanumeric characters or '-', "
        f'and must start with alphabetical character. (e.g. "my-name" or "abc-123", regex used for validation is \'{NAME}\')'
    )


def _autoscaler_is_known(service: dict[str, Any], before: dict[str, Any]) -> str | None:
    """Read in KServe's code, not observed."""
    wanted = _annotations(service).get(AUTOSCALER)
    return None if wanted is None or wanted in AUTOSCALERS else f"[{wanted}] is not a supported autoscaler class type"


def _model_has_no_name(service: dict[str, Any], before: dict[str, Any]) -> str | None:
    """Observed: "`spec.predictor.model.name` must not be set ("the 'name' field is not allowed in standard predictor", since 0.16)"."""
    named = (_predictor(service).get("model") or {}).get("name")
    return "the 'name' field is not allowed in standard predictor" if named else None


def _replicas_are_in_order(service: dict[str, Any], before: dict[str, Any]) -> str | None:
    """Read in KServe's code, not observed. `maxReplicas: 0` is no limit."""
    least, most = _predictor(service).get("minReplicas"), _predictor(service).get("maxReplicas", 0)
    if least is not None and least < 0:
        return "MinReplicas cannot be less than 0"
    if most < 0:
        return "MaxReplicas cannot be less than 0"
    return "MinReplicas cannot be greater than MaxReplicas" if least is not None and most and least > most else None


def _scaling_fits_the_class(service: dict[str, Any], before: dict[str, Any]) -> str | None:
    """Read in KServe's code, not observed: what each autoscaler takes of `scaleMetric` and `autoScaling.metrics`."""
    predictor, annotations = _predictor(service), _annotations(service)
    if annotations.get(MODE) not in ("Standard", "RawDeployment"):
        return _knative_scaling(predictor, annotations)
    kinds = [each.get("type") for each in (predictor.get("autoScaling") or {}).get("metrics") or ()]
    match annotations.get(AUTOSCALER):
        case "hpa":
            return _horizontal_scaling(predictor, kinds)
        case "keda" if predictor.get("scaleMetric"):
            return "ScaleMetric is not supported for KEDA"
        case "keda" if unknown := next((each for each in kinds if each not in ("Resource", "External", "PodMetric")), None):
            return f"unknown KEDA metric type with value [{unknown}].Valid types are Resource,External,PodMetric"
    return None


def _horizontal_scaling(predictor: dict[str, Any], kinds: list[str]) -> str | None:
    if (metric := predictor.get("scaleMetric", "cpu")) not in ("cpu", "memory"):
        return f"[{metric}] is not a supported metric"
    target = predictor.get("scaleTarget")
    if target is not None and ((metric == "cpu" and target < 1) or target > 100):
        return "the target utilization percentage should be a [1-100] integer"
    unknown = next((each for each in kinds if each != "Resource"), None)
    return f"invalid HPA metric source type with value [{unknown}],valid metric source types are Resource" if unknown else None


def _knative_scaling(predictor: dict[str, Any], annotations: dict[str, str]) -> str | None:
    if annotations.get("autoscaling.knative.dev/class") == "hpa.autoscaling.knative.dev":
        return _horizontal_scaling(predictor, [])
    if predictor.get("deploymentStrategy"):
        return "customizing deploymentStrategy is only supported for raw deployment mode"
    metric = predictor.get("scaleMetric", "concurrency")
    return None if metric in ("concurrency", "rps") else f"[{metric}] is not a supported metric"


def _predictor(service: dict[str, Any]) -> dict[str, Any]:
    return dict(service.get("spec", {}).get("predictor", {}))


def _annotations(service: dict[str, Any]) -> dict[str, str]:
    return dict(service["metadata"].get("annotations") or {})


RULES: tuple[Rule, ...] = (
    _mode_is_kept,
    _name_fits,
    _autoscaler_is_known,
    _model_has_no_name,
    _replicas_are_in_order,
    _scaling_fits_the_class,
)
