"""What is left to do when a rollout has ended: traffic that its candidate had to keep is brought back, then the finalizer goes."""

from datetime import datetime

from endcap.contracts.rollout import Phase, RolloutStatus
from endcap.release.rollout.resource import Rollout
from endcap_rollout_operator.state.effects import DeleteCandidate, Effect, OrphanCandidate, RemoveFinalizer, SetWeight
from endcap_rollout_operator.state.observed_state import Absent, ObservedState, Target
from endcap_rollout_operator.state.promoting import DRAIN_SECONDS
from endcap_rollout_operator.state.rolling_back import STABLE_COLLECTION_MISSING, can_take_traffic
from endcap_rollout_operator.state.transition import changed, seconds_since


def decide_ended(rollout: Rollout, observed: ObservedState, now: datetime) -> tuple[RolloutStatus, list[Effect]]:
    if not rollout.has_finalizer:
        return rollout.status, []
    target = observed.target
    if not isinstance(target, Absent) and _keeps_candidate(rollout.status, target):
        return _returned_later(rollout, target, now)
    return rollout.status, [RemoveFinalizer()]


def _keeps_candidate(status: RolloutStatus, target: Target) -> bool:
    is_kept = status.phase == Phase.FAILED and status.reason == STABLE_COLLECTION_MISSING and status.mode == "Standard"
    return is_kept and target.candidate is not None and target.candidate.is_owned


def _returned_later(rollout: Rollout, target: Target, now: datetime) -> tuple[RolloutStatus, list[Effect]]:
    """The candidate goes when the stable version can serve again; a Rollout that is deleted before leaves it where it is."""
    status = rollout.status
    if target.weight != 0:
        if can_take_traffic(status, target):
            return changed(status, current_weight=0), [SetWeight(0)]
        return status, [OrphanCandidate()] if rollout.is_deleting else []
    if status.completed_at is None:
        message = status.message.partition("; the candidate keeps")[0]
        return changed(status, completed_at=now, current_weight=0, message=f"{message}; the traffic is back"), []
    if seconds_since(status.completed_at, now) >= DRAIN_SECONDS:
        return status, [DeleteCandidate()]
    return status, []
