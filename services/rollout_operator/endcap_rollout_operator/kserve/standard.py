"""Standard mode: two InferenceServices, and the weights of the HTTPRoute in front of them."""

from collections.abc import Mapping
from typing import Any

from endcap.contracts.rollout import RolloutBundle, Served
from endcap.core.errors import InvalidInput
from endcap.release.rollout.api_server import DEPLOYMENTS, HTTP_ROUTES, INFERENCE_SERVICES, ApiServer
from endcap.release.rollout.resource import Rollout
from endcap_rollout_operator.kserve.candidate import candidate_document, candidate_name, is_owned_by, orphan_patch, predictor_service
from endcap_rollout_operator.kserve.deployment import available_pods, is_made_for, replica_failure, unsettled
from endcap_rollout_operator.kserve.inference_service import SERVICE_LABEL, bundle_patch, fingerprint, is_ready, served_by, unready_message
from endcap_rollout_operator.kserve.model_status import load_failure, model_restarts, spec_failure
from endcap_rollout_operator.kserve.replicas import REPLICAS_MANAGER, is_held, pods_of, replicas_patch
from endcap_rollout_operator.kserve.route_weights import traffic_rule, weight_of, weight_patch
from endcap_rollout_operator.state.observed_state import Absent, Candidate, LoadFailure, Target


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
        self._deployment = api_server.get(DEPLOYMENTS, predictor_service(self._name))

    def target(self) -> Target | Absent:
        rule = traffic_rule(self._route) if self._route is not None else None
        if rule is None:
            message = f"there is no HTTPRoute {self._name} with a rule named traffic"
            return Absent("RouteMissing", message, is_gone=False)
        served = served_by(self._stable)
        pods = pods_of(self._stable, available_pods(self._deployment))
        problem = unsettled(self._deployment, served.storage_uri, pods.bounded(pods.least))
        return Target(
            mode="Standard",
            served=served,
            is_settled=problem is None,
            weight=weight_of(rule, self._name),
            is_weight_in_force=True,
            candidate=self._found_candidate(),
            message=problem or "",
            pods=pods,
        )

    def ensure_candidate(self, bundle: RolloutBundle) -> None:
        if self._candidate is None:
            self._api_server.create(INFERENCE_SERVICES, candidate_document(self._stable, self._rollout, bundle))

    def raise_candidate(self, replicas: int) -> None:
        if self._candidate is not None and is_owned_by(self._candidate, self._rollout):
            self._candidate = self._with_replicas(self._candidate, replicas)

    def hold_replicas(self, replicas: int) -> None:
        self._stable = self._with_replicas(self._stable, replicas)

    def release_replicas(self, replicas: int | None) -> None:
        if is_held(self._stable):
            self._stable = self._with_replicas(self._stable, replicas)
            self._stable = self._api_server.disown(INFERENCE_SERVICES, self._stable, REPLICAS_MANAGER)

    def orphan_candidate(self) -> None:
        if self._candidate is not None:
            operations = orphan_patch(self._candidate, self._rollout)
            self._candidate = self._api_server.patch(INFERENCE_SERVICES, self._candidate["metadata"]["name"], operations)

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

    def _with_replicas(self, document: Mapping[str, Any], replicas: int | None) -> dict[str, Any]:
        operations = replicas_patch(document, replicas)
        if not operations:
            return dict(document)
        return self._api_server.patch(INFERENCE_SERVICES, document["metadata"]["name"], operations, REPLICAS_MANAGER)

    def _found_candidate(self) -> Candidate | None:
        document = self._candidate
        if document is None:
            return None
        deployment = self._api_server.get(DEPLOYMENTS, predictor_service(document["metadata"]["name"]))
        serves = is_made_for(deployment, self._rollout.spec.bundle.storage_uri) and "deletionTimestamp" not in document["metadata"]
        pods = pods_of(document, available_pods(deployment) if serves else 0)
        is_owned = is_owned_by(document, self._rollout)
        failure = self._load_failure(document)
        message = f"{document['metadata']['name']} is there and not of this rollout; delete it"
        if is_owned:
            problems = (failure.message if failure else None, spec_failure(document), replica_failure(deployment))
            message = next((each for each in problems if each is not None), "" if is_ready(document) else unready_message(document))
        return Candidate(pods.available > 0, is_owned, fingerprint(document), message, pods, failure)

    def _load_failure(self, document: Mapping[str, Any]) -> LoadFailure | None:
        message = load_failure(document)
        if message is None:
            return None
        return LoadFailure(message, model_restarts(self._api_server.pods_with(SERVICE_LABEL, document["metadata"]["name"])))
