"""How many pods the candidate needs for a share of the traffic, and how many of its own the target keeps; in Standard mode.

Knative scales revisions with their traffic: there is nothing to prepare, and nothing here applies.
"""

from dataclasses import dataclass
from datetime import datetime

from endcap.contracts.rollout import Capacity, RolloutSpec, RolloutStatus
from endcap_rollout_operator.state.effects import Effect, HoldReplicas, RaiseCandidate, ReleaseReplicas
from endcap_rollout_operator.state.observed_state import Absent, Pods, Target
from endcap_rollout_operator.state.transition import changed, seconds_since


@dataclass(frozen=True)
class Preparation:
    """Attributes:
    lacking: what the share still waits for, for people; None when it may be set.
    """

    status: RolloutStatus
    effects: tuple[Effect, ...] = ()
    lacking: str | None = None


def prepared_step(status: RolloutStatus, target: Target, weight: int, now: datetime) -> Preparation:
    """Both versions made ready for a step: the candidate has the pods that its share needs, and the target keeps those it has."""
    candidate = prepared(status, target, weight, now)
    if target.pods is None or weight == 0:
        return candidate
    status = _with_hold(candidate.status, target.pods)
    held = target.pods.bounded(status.held_replicas or 0)
    if target.pods.declared >= held:
        return Preparation(status, candidate.effects, candidate.lacking)
    lacking = candidate.lacking or f"{held} pods of the target to be kept"
    return Preparation(status, (HoldReplicas(held), *candidate.effects), lacking)


def prepared(status: RolloutStatus, target: Target, weight: int, now: datetime) -> Preparation:
    """The candidate made ready for a share, per cent."""
    pods = _candidate_pods(target)
    if pods is None or target.pods is None:
        return Preparation(status)
    capacity = _capacity(status.capacity, target.pods, pods, weight, now)
    status, needed = with_progress(changed(status, capacity=capacity), target, now), capacity.pods
    if pods.declared >= needed:
        return Preparation(status, (), shortage(status, target))
    return Preparation(status, (RaiseCandidate(needed),), shortage(status, target) or f"{needed} pods of the candidate to be kept")


def with_progress(status: RolloutStatus, target: Target | Absent, now: datetime) -> RolloutStatus:
    """The status with the candidate's progress towards the pods it needs: more of them than ever since they became too few."""
    capacity, pods = status.capacity, _candidate_pods(target)
    if capacity is None or pods is None:
        return status
    has_risen = pods.available > capacity.available_max
    has_become_short = pods.available < capacity.pods <= capacity.available_max
    if not has_risen and not has_become_short:
        return status
    return changed(status, capacity=capacity.model_copy(update={"available_max": pods.available, "progress_at": now}))


def shortage(status: RolloutStatus, target: Target) -> str | None:
    """What the candidate lacks of the pods it needs, for people; None when it has them."""
    capacity, pods = status.capacity, _candidate_pods(target)
    if capacity is None or pods is None or pods.available >= capacity.pods:
        return None
    number = f"{capacity.pods} available pod{'s' if capacity.pods > 1 else ''}"
    share = f" for {capacity.weight} % of the traffic" if capacity.weight else ""
    reason = target.candidate.message if target.candidate is not None else ""
    return f"{number} of the candidate{share} ({pods.available} so far{f': {reason}' if reason else ''})"


def is_stalled(spec: RolloutSpec, status: RolloutStatus, target: Target, now: datetime) -> bool:
    """Whether the candidate has too few pods, and none more for longer than the deadline."""
    if status.capacity is None or shortage(status, target) is None:
        return False
    return seconds_since(status.capacity.progress_at, now) > spec.progress_deadline_seconds


def release(status: RolloutStatus, target: Target) -> list[Effect]:
    """What gives the target its own `minReplicas` back; nothing when the operator has not written them, or somebody else has since."""
    if target.pods is None or not target.pods.is_held:
        return []
    return [ReleaseReplicas(status.stable_replicas if status.held_replicas is not None else target.pods.min_replicas)]


def _with_hold(status: RolloutStatus, pods: Pods) -> RolloutStatus:
    """The status with the pods that the target keeps: the most it had before any step so far, where its own `minReplicas` are fewer."""
    wanted = max(status.held_replicas or 0, pods.available)
    if pods.bounded(wanted) <= pods.declared:
        return status
    is_ours = pods.is_held and status.held_replicas is not None
    own = status.stable_replicas if is_ours else pods.min_replicas
    return changed(status, held_replicas=wanted, stable_replicas=own)


def _capacity(before: Capacity | None, stable: Pods, candidate: Pods, weight: int, now: datetime) -> Capacity:
    """The pods this share needs; once fixed, the number stays for this share and never falls for a later one."""
    if before is not None and before.weight == weight:
        return before
    share = -(-weight * (stable.available + candidate.available) // 100)
    needed = candidate.bounded(max(share, candidate.least, before.pods if before is not None else 1))
    return Capacity(weight=weight, pods=max(needed, 1), available_max=candidate.available, progress_at=now)


def _candidate_pods(target: Target | Absent) -> Pods | None:
    if isinstance(target, Absent) or target.candidate is None:
        return None
    return target.candidate.pods
