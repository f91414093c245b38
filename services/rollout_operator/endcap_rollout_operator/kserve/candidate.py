"""The candidate in Standard mode: an InferenceService of its own, a copy of the stable one with another bundle."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from endcap.contracts.rollout import (
    BUNDLE_ANNOTATION,
    COLLECTION_ANNOTATION,
    GROUP,
    KIND,
    TARGET_LABEL,
    TRACK_LABEL,
    VERSION,
    RolloutBundle,
)
from endcap.release.rollout.resource import Rollout

MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"
OPERATOR = "endcap-rollout-operator"
_OTHERS_ANNOTATIONS = ("meta.helm.sh/", "kubectl.kubernetes.io/", "argocd.argoproj.io/")
"""What tools put on the stable one to know it as theirs: on a copy it would have them delete it."""


def candidate_name(target: str) -> str:
    return f"{target}-candidate"


def predictor_service(name: str) -> str:
    """KServe's Service of an InferenceService in Standard mode."""
    return f"{name}-predictor"


def candidate_document(stable: Mapping[str, Any], rollout: Rollout, bundle: RolloutBundle) -> dict[str, Any]:
    """The candidate as it is created."""
    target, metadata = rollout.spec.target, stable["metadata"]
    annotations = {name: value for name, value in metadata.get("annotations", {}).items() if not name.startswith(_OTHERS_ANNOTATIONS)}
    annotations |= {BUNDLE_ANNOTATION: str(bundle.version), COLLECTION_ANNOTATION: bundle.collection}
    labels = metadata.get("labels", {}) | {TARGET_LABEL: target, TRACK_LABEL: "candidate", MANAGED_BY_LABEL: OPERATOR}
    spec = deepcopy(dict(stable["spec"]))
    predictor = spec["predictor"]
    predictor["model"]["storageUri"] = bundle.storage_uri
    if "autoScaling" in predictor:
        predictor["autoScaling"] = _about_candidate(predictor["autoScaling"], target)
    return {
        "apiVersion": stable["apiVersion"],
        "kind": stable["kind"],
        "metadata": {
            "name": candidate_name(target),
            "labels": labels,
            "annotations": annotations,
            "ownerReferences": [
                {"apiVersion": f"{GROUP}/{VERSION}", "kind": KIND, "name": rollout.name, "uid": rollout.uid, "controller": True}
            ],
        },
        "spec": spec,
    }


def is_owned_by(document: Mapping[str, Any], rollout: Rollout) -> bool:
    return any(owner["uid"] == rollout.uid for owner in document["metadata"].get("ownerReferences", ()))


def orphan_patch(document: Mapping[str, Any], rollout: Rollout) -> list[dict[str, Any]]:
    """JSON patch that lets it outlive its Rollout."""
    metadata = document["metadata"]
    others = [owner for owner in metadata.get("ownerReferences", ()) if owner["uid"] != rollout.uid]
    return [
        {"op": "test", "path": "/metadata/resourceVersion", "value": metadata["resourceVersion"]},
        {"op": "add", "path": "/metadata/ownerReferences", "value": others},
    ]


def _about_candidate(node: Any, target: str) -> Any:
    """Queries that scale by the pods of the stable one, turned to the candidate's."""
    if isinstance(node, Mapping):
        return {name: _about_candidate(value, target) for name, value in node.items()}
    if isinstance(node, list):
        return [_about_candidate(each, target) for each in node]
    if isinstance(node, str):
        return node.replace(f"{predictor_service(target)}-", f"{predictor_service(candidate_name(target))}-")
    return node
