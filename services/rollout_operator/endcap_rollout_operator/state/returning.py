"""Giving the traffic back to the stable version: at once where it has pods to take it."""

from endcap.contracts.rollout import RolloutStatus
from endcap_rollout_operator.state.effects import Effect, SetWeight
from endcap_rollout_operator.state.observed_state import Target


def rolls_over(status: RolloutStatus) -> bool:
    """Whether the target itself was given the candidate's bundle already, and has to load its own again."""
    return status.mode == "Standard" and status.promoting_at is not None


def can_take_traffic(status: RolloutStatus, target: Target) -> bool:
    """Whether the stable version serves more than the candidate would: a split that leads to no pod at all helps nobody."""
    if target.pods is None:
        return True
    if rolls_over(status) and not target.is_settled:
        return False
    candidate = target.candidate.pods if target.candidate is not None else None
    return target.pods.available > 0 or candidate is None or candidate.available == 0


def traffic_back(status: RolloutStatus, target: Target) -> list[Effect]:
    """What returns the traffic; nothing while the stable version cannot take it."""
    return [SetWeight(0)] if can_take_traffic(status, target) else []


def returned_collection(status: RolloutStatus, target: Target) -> str | None:
    """The collection that goes with the traffic: in Standard mode that of the bundle the target has now."""
    if status.stable is not None and (rolls_over(status) or status.mode == "Knative"):
        return status.stable.collection
    return target.served.collection
