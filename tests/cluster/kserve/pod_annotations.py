"""Rule: annotations of an InferenceService are its pods' annotations.

Observed: "Annotations on an InferenceService roll its pods." "An annotation `modelFormat=tensorflow` is added to the InferenceService and
must not reach pods." In `made.json` none of the objects has one of kubectl's either.
"""

KEPT_FROM_PODS = ("kubectl.kubernetes.io/last-applied-configuration", "modelFormat")


def reaching_pods(annotations: dict[str, str]) -> dict[str, str]:
    """Those that pods get; the removal of one, or another value, is another pod template."""
    return {key: value for key, value in annotations.items() if key not in KEPT_FROM_PODS}
