"""The rule `traffic` of a target's HTTPRoute: its backends' weights belong to the operator, everything else to whoever made the route."""

from collections.abc import Mapping
from typing import Any

from endcap.contracts.rollout import TRAFFIC_RULE
from endcap_rollout_operator.kserve.candidate import candidate_name, predictor_service


def traffic_rule(route: Mapping[str, Any]) -> Mapping[str, Any] | None:
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
