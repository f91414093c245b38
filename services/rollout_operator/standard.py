"""Standard mode: two InferenceServices, and the weights of the HTTPRoute in front of them."""

from collections.abc import Mapping
from typing import Any

from endcap.contracts.rollout import RolloutBundle, Served
from endcap.errors import InvalidInput
from endcap.rollout.api_server import DEPLOYMENTS, HTTP_ROUTES, INFERENCE_SERVICES, ApiServer
from endcap.rollout.resource import Rollout
from endcap.rollout.world import Absent, Candidate, Target
from services.rollout_operator.candidate import candidate_document, candidate_name, is_owned_by, predictor_service
from services.rollout_operator.inference_service import SOURCE_ANNOTATION, bundle_patch, fingerprint, is_ready, served_by, unready_message
from services.rollout_operator.route_weights import traffic_rule, weight_of, weight_patch


class StandardTraffic:
    """Args:
    api_server: of the target's namespace.
    rollout: whose target it is.
    stable: the target as it was just read.
    """

    def __init__(self, api_server: ApiServer, rollout: Rollout, stable: Mapping[str, Any]) -> None:
        self._api_server = api_server
        self._rollout = rollout
        self._name = rollout.spec.target
        self._stable = stable
        self._candidate = api_server.get(INFERENCE_SERVICES, candidate_name(self._name))
        self._route = api_server.get(HTTP_ROUTES, self._name)

    def target(self) -> Target | Absent:
        rule = traffic_rule(self._route) if self._route is not None else None
        if rule is None:
            message = f"there is no HTTPRoute {self._name} with a rule named traffic"
            return Absent("RouteMissing", message, is_gone=False)
        served = served_by(self._stable)
        problem = self._unsettled(served)
        return Target(
            mode="Standard",
            served=served,
            is_settled=problem is None,
            weight=weight_of(rule, self._name),
            is_weight_in_force=True,
            candidate=self._found_candidate(),
            message=problem or "",
        )

    def ensure_candidate(self, bundle: RolloutBundle) -> None:
        if self._candidate is None:
            self._api_server.create(INFERENCE_SERVICES, candidate_document(self._stable, self._rollout, bundle))

    def set_weight(self, weight: int) -> None:
        if self._route is None:
            raise InvalidInput("there is no HTTPRoute of this name", field="spec.target", value=self._name)
        self._route = self._api_server.patch(HTTP_ROUTES, self._name, weight_patch(self._route, self._name, weight))
        if weight == 0:  # at rest the rule is as the chart has it: whoever installs the chart may change its rules again
            self._route = self._api_server.disown(HTTP_ROUTES, self._route)

    def promote_stable(self, bundle: RolloutBundle) -> None:
        self._serve(bundle)

    def restore_stable(self, stable: Served) -> None:
        self._serve(stable)

    def delete_candidate(self) -> None:
        document = self._candidate
        if document is not None and is_owned_by(document, self._rollout) and "deletionTimestamp" not in document["metadata"]:
            self._api_server.delete(INFERENCE_SERVICES, document["metadata"]["name"], document["metadata"]["uid"])

    def _serve(self, bundle: RolloutBundle | Served) -> None:
        self._stable = self._api_server.patch(INFERENCE_SERVICES, self._name, bundle_patch(self._stable, bundle))

    def _found_candidate(self) -> Candidate | None:
        document = self._candidate
        if document is None:
            return None
        is_owned = is_owned_by(document, self._rollout)
        message = unready_message(document) if is_owned else f"{document['metadata']['name']} is there and not of this rollout; delete it"
        return Candidate(is_ready(document), is_owned, fingerprint(document), message)

    def _unsettled(self, served: Served) -> str | None:
        """What keeps the target from serving what its spec names with every pod; KServe's own status does not say for which spec it is."""
        deployment = self._api_server.get(DEPLOYMENTS, predictor_service(self._name))
        if deployment is None:
            return "KServe has not made its Deployment"
        annotations = deployment["spec"]["template"]["metadata"].get("annotations", {})
        if annotations.get(SOURCE_ANNOTATION) != served.storage_uri:
            return "KServe has not taken its spec over"
        status, wanted = deployment.get("status", {}), deployment["spec"].get("replicas", 1)
        if status.get("observedGeneration", 0) < deployment["metadata"]["generation"]:
            return "its Deployment is looked at"
        updated, ready = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
        if updated < wanted or status.get("replicas", 0) > updated or ready < updated:
            return f"{updated} of {wanted} pods are new, {ready} available"
        return None if is_ready(self._stable) else unready_message(self._stable)
