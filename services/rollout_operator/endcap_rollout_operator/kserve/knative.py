"""Knative mode: one InferenceService, whose newest revision is the candidate and gets `canaryTrafficPercent` of the traffic.

KServe gives the rest to the revision that last had all of it. Its status does not say which bundle a revision serves, and is behind for
a moment after each change; therefore the Knative Service under it is read too.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from endcap.contracts.rollout import RolloutBundle, Served
from endcap.release.rollout.api_server import INFERENCE_SERVICES, KNATIVE_SERVICES, ApiServer
from endcap.release.rollout.resource import Rollout
from endcap_rollout_operator.kserve.candidate import predictor_service
from endcap_rollout_operator.kserve.inference_service import (
    SOURCE_ANNOTATION,
    STORAGE_URI,
    bundle_patch,
    fingerprint,
    is_ready,
    load_failure,
    served_by,
    spec_failure,
    unready_message,
)
from endcap_rollout_operator.state.observed_state import Candidate, LoadFailure, Target

FULL = 100
PERCENT = "/spec/predictor/canaryTrafficPercent"


class KnativeTraffic:
    """Args:
    api_server: of the target's namespace.
    rollout: whose target it is.
    document: the target as it was just read.
    """

    def __init__(self, api_server: ApiServer, rollout: Rollout, document: Mapping[str, Any]) -> None:
        self._api_server = api_server
        self._rollout = rollout
        self._name = rollout.spec.target
        self._document = document
        self._service = api_server.get(KNATIVE_SERVICES, predictor_service(self._name)) or {}

    def target(self) -> Target:
        served = served_by(self._document)
        split = self._document["spec"]["predictor"].get("canaryTrafficPercent")
        is_new = served.storage_uri == self._rollout.spec.bundle.storage_uri
        at_rest = FULL if is_new else 0
        weight = at_rest if split is None else split
        problem = self._unsettled(served)
        candidate = None
        if split is not None and not (split == FULL and not is_new):
            failure = load_failure(self._document) if problem is not None else None
            message = failure or spec_failure(self._document) or problem or ""
            candidate = Candidate(
                problem is None, True, fingerprint(self._document), message, load_failure=LoadFailure(failure) if failure else None
            )
        elif split is not None:
            weight = 0  # all traffic on the newest revision, which is the stable one: a split in name only
        return Target(
            mode="Knative",
            served=served,
            is_settled=problem is None,
            weight=weight,
            is_weight_in_force=self._share_of_newest() == weight if (split is not None or is_new) else True,
            candidate=candidate,
            message=problem or "",
        )

    def ensure_candidate(self, bundle: RolloutBundle) -> None:
        self._patch(bundle_patch(self._document, bundle), percent=0)

    def raise_candidate(self, _replicas: int) -> None:
        """Nothing: Knative scales each revision with its traffic."""

    def hold_replicas(self, _replicas: int) -> None:
        """Nothing, as for the candidate."""

    def release_replicas(self, _replicas: int | None) -> None:
        """Nothing was held."""

    def orphan_candidate(self) -> None:
        """Nothing: the candidate is the target itself."""

    def set_weight(self, weight: int) -> None:
        self._patch(self._same_bundle(), percent=weight)

    def promote_stable(self, bundle: RolloutBundle) -> None:
        self._patch(bundle_patch(self._document, bundle), percent=None)

    def restore_stable(self, stable: Served) -> None:
        self._patch(bundle_patch(self._document, stable), percent=0)

    def delete_candidate(self) -> None:
        self._patch(self._same_bundle(), percent=None)

    def _same_bundle(self) -> list[dict[str, Any]]:
        return [{"op": "test", "path": STORAGE_URI, "value": served_by(self._document).storage_uri}]

    def _patch(self, operations: Sequence[Mapping[str, Any]], percent: int | None) -> None:
        """Change bundle and share at once, if the share still is what was read."""
        present = self._document["spec"]["predictor"].get("canaryTrafficPercent")
        if present is not None:
            test = {"op": "test", "path": PERCENT, "value": present}
        else:  # that a field is not there cannot be tested
            test = {"op": "test", "path": "/metadata/resourceVersion", "value": self._document["metadata"]["resourceVersion"]}
        change = [{"op": "add", "path": PERCENT, "value": percent}] if percent is not None else []
        change += [{"op": "remove", "path": PERCENT}] if percent is None and present is not None else []
        self._document = self._api_server.patch(INFERENCE_SERVICES, self._name, [test, *operations, *change])

    def _unsettled(self, served: Served) -> str | None:
        """What keeps the newest revision from serving what the spec names."""
        if not self._service:
            return "KServe has not made its Knative Service"
        annotations = self._service["spec"]["template"]["metadata"].get("annotations", {})
        if annotations.get(SOURCE_ANNOTATION) != served.storage_uri:
            return "KServe has not taken its spec over"
        status = self._service.get("status", {})
        if status.get("observedGeneration", 0) < self._service["metadata"]["generation"]:
            return "Knative looks at it"
        created, ready = status.get("latestCreatedRevisionName"), status.get("latestReadyRevisionName")
        if created is None or created != ready or self._component().get("latestReadyRevision") != ready:
            return f"revision {created} starts"
        return None if is_ready(self._document) else unready_message(self._document)

    def _share_of_newest(self) -> int:
        """Share of the traffic that the newest revision gets, per cent, as Knative routes it now."""
        component = self._component()
        newest = component.get("latestCreatedRevision")
        return sum(each.get("percent") or 0 for each in component.get("traffic", ()) if each.get("revisionName") == newest)

    def _component(self) -> Mapping[str, Any]:
        component: Mapping[str, Any] = self._document.get("status", {}).get("components", {}).get("predictor", {})
        return component
