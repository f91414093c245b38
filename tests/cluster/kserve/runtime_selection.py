"""Rule: a runtime that is missing or unfit makes the spec invalid.

Observed: "A runtime that is missing or unfit: Ready Unknown/False with `modelStatus.transitionStatus: InvalidSpec`,
`lastFailureInfo.reason: RuntimeNotRecognized`". "At each first install it errs until the ServingRuntime is there (`No ServingRuntimes or
ClusterServingRuntimes with the name ...`, Warning InternalError) and heals by back-off."
Read in KServe's code: an unfit one has the reason NoSupportingRuntime, a disabled one RuntimeDisabled.

Stricter than the real one: without back-off it is found at the next look. Kinder: a model that names no runtime is not given one.
"""

from typing import Any

from tests.cluster.rest import Objects

RUNTIMES = "serving.kserve.io/v1alpha1"


class InvalidSpec(Exception):
    """No runtime for this InferenceService.

    Attributes:
        reason: of `modelStatus.lastFailureInfo`.
        message: there.
    """

    def __init__(self, reason: str, message: str, error: str) -> None:
        super().__init__(error)
        self.reason = reason
        self.message = message


def chosen_runtime(objects: Objects, namespace: str, model: dict[str, Any]) -> dict[str, Any]:
    """The ServingRuntime that a model names, else the ClusterServingRuntime.

    Raises:
        InvalidSpec: there is none, it is disabled, or it supports the model not.
    """
    name = model["runtime"]
    runtime = objects.find(RUNTIMES, "ServingRuntime", namespace, name) or objects.find(RUNTIMES, "ClusterServingRuntime", None, name)
    if runtime is None:
        error = f"No ServingRuntimes or ClusterServingRuntimes with the name: {name}"
        raise InvalidSpec("RuntimeNotRecognized", "Waiting for runtime to become available", error)
    spec = runtime["spec"]
    if spec.get("disabled"):
        raise InvalidSpec("RuntimeDisabled", "Specified runtime is disabled", f"specified runtime {name} is disabled")
    protocols = spec.get("protocolVersions")
    for fits, what in (
        (not protocols or model.get("protocolVersion", protocols[0]) in protocols, "protocol version"),
        (any(_supports(each, model["modelFormat"]) for each in spec.get("supportedModelFormats") or ()), "framework/version"),
    ):
        if not fits:
            tail = f"does not support specified {what}"
            raise InvalidSpec("NoSupportingRuntime", f"Specified runtime {tail}", f"specified runtime {name} {tail}")
    return runtime


def _supports(supported: dict[str, Any], wanted: dict[str, Any]) -> bool:
    version = wanted.get("version")
    return bool(supported["name"] == wanted["name"] and (version is None or supported.get("version", version) == version))
