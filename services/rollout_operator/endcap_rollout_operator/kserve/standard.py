"""Standard mode: two InferenceServices, and the weights of the HTTPRoute in front of them."""

from collections.abc import Mapping
from typing import Any

from endcap.contracts.rollout import TRAFFIC_RULE, RolloutBundle, Served
from endcap.core.errors import InvalidInput
from endcap.release.rollout.api_server import DEPLOYMENTS, HTTP_ROUTES, INFERENCE_SERVICES, ApiServer
from endcap.release.rollout.resource import Rollout
from endcap_rollout_operator.kserve.candidate import candidate_document, candidate_name, is_owned_by, orphan_patch, predictor_service
from endcap_rollout_operator.kserve.inference_service import (
    SERVICE_LABEL,
    bundle_patch,
    fingerprint,
    is_ready,
    load_failure,
    model_restarts,
    served_by,
    spec_failure,
    unready_message,
)
from endcap_rollout_operator.kserve.replicas import (
    REPLICAS_MANAGER,
    available_pods,
    is_held,
    is_made_for,
    pods_of,
    replica_failure,
    replicas_patch,
    unsettled,
)
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


def traffic_rule(route: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The rule `traffic` of a target's HTTPRoute: its backends' weights are the operator's, everything else is whoever made the route's."""
    return next((rule for rule in route["spec"].get("rules", ()) if rule.get("name") == TRAFFIC_RULE), None)


def weight_of(rule: Mapping[str, Any], target: str) -> int | None:
    """The candidate's share, per cent; None when the rule has other backends, or none of the target."""
    stable, candidate = predictor_service(target), predictor_service(candidate_name(target))
    weights: dict[str, int] = {}
    for backend in rule.get("backendRefs", ()):
        weights[backend["name"]] = weights.get(backend["name"], 0) + backend.get("weight", 1)
    total = sum(weights.values())
    if not set(weights) <= {stable, candidate} or stable not in weights or total == 0:
        return None
    return round(100 * weights.get(candidate, 0) / total)


def weight_patch(route: Mapping[str, Any], target: str, weight: int) -> list[dict[str, Any]]:
    """JSON patch of the rule `traffic`, if it still is what was read; at weight 0 the candidate is no backend at all."""
    index, rule = next((index, rule) for index, rule in enumerate(route["spec"]["rules"]) if rule.get("name") == TRAFFIC_RULE)
    service = predictor_service(target)
    stable = next((each for each in rule.get("backendRefs", ()) if each["name"] == service), {"name": service, "port": 80})
    backends = [{**stable, "weight": 100 - weight}]
    if weight > 0:
        backends.append({**stable, "name": predictor_service(candidate_name(target)), "weight": weight})
    path = f"/spec/rules/{index}"
    return [{"op": "test", "path": path, "value": rule}, {"op": "add", "path": f"{path}/backendRefs", "value": backends}]
