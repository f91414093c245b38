"""Rule: the mutating webhook of InferenceServices fills in defaults.

Observed: "the stored object has `model.name: ""`." "The predictor container gets 1 CPU and 2 GiB as request and limit when it asks for
nothing; the transformer container gets none." "An annotation `modelFormat=tensorflow` is added to the InferenceService and must not reach
pods."

Kinder than the real one: defaults of what endcap does not write (an explainer, a transformer of its own, frameworks' own fields) are left
out.
"""

import copy
from typing import Any

DEFAULT_RESOURCES = {"cpu": "1", "memory": "2Gi"}
FORMAT_ANNOTATION = "modelFormat"


def with_defaults(service: dict[str, Any]) -> dict[str, Any]:
    """The InferenceService as it is stored."""
    filled = copy.deepcopy(service)
    predictor = filled.get("spec", {}).get("predictor", {})
    model = predictor.get("model")
    if model is None:
        return filled
    model.setdefault("name", "")
    model["resources"] = default_resources(model.get("resources") or {})
    for container in predictor.get("containers") or ():
        container.setdefault("resources", {})
    if name := model.get("modelFormat", {}).get("name"):
        filled["metadata"]["annotations"] = {**(filled["metadata"].get("annotations") or {}), FORMAT_ANNOTATION: name}
    return filled


def default_resources(given: dict[str, Any]) -> dict[str, Any]:
    """Requests and limits of a model: they beat the runtime's, because the webhook sets them before a runtime is looked for."""
    return {**given, **{kind: {**DEFAULT_RESOURCES, **(given.get(kind) or {})} for kind in ("requests", "limits")}}
