"""RollingBack: the stable version has all traffic and the alias again, at once; then the candidate goes.

Two things take longer. A target that was already being rolled over to the candidate's bundle has to serve the old one first, and one
without an available pod gets its traffic when it has one. Where the stable collection is gone from Milvus nothing can bring the alias back:
the stable version then answers from fallbacks, and the rollout ends with what restores it.
"""

from datetime import datetime

from endcap.contracts.rollout import Phase, RolloutBundle, RolloutStatus, Served
from endcap.release.rollout.resource import Rollout
from endcap_rollout_operator.state.capacity import release
from endcap_rollout_operator.state.effects import (
    DeleteCandidate,
    Effect,
    LoadCollection,
    MoveAlias,
    OrphanCandidate,
    RestoreStable,
    SetWeight,
)
from endcap_rollout_operator.state.manual_edits import confirmed
from endcap_rollout_operator.state.observed_state import Absent, Index, ObservedState, Target
from endcap_rollout_operator.state.promoting import DRAIN_SECONDS
from endcap_rollout_operator.state.transition import changed, enter, seconds_since

STABLE_COLLECTION_MISSING = "StableCollectionMissing"
INDEX_SECONDS_MAX = 120.0
"""How long a deleted Rollout waits for a Milvus that does not answer; the traffic is back by then."""


def decide_rolling_back(rollout: Rollout, observed: ObservedState, now: datetime) -> tuple[RolloutStatus, list[Effect]]:
    status, target, stable = rollout.status, observed.target, rollout.status.stable
    if stable is None:
        return _failed(status, now), []
    if isinstance(target, Absent):
        return _without_target(status, target, now)
    status = confirmed(rollout.spec, status, target)
    if status.completed_at is not None:
        return _cleared(rollout, status, stable, target=target, now=now)
    is_missing = observed.index is not None and observed.index.stable == "missing" and returned_collection(status, target) is not None
    if is_missing:
        return _returned_without_collection(rollout, status, target, now)
    return _returned(rollout, status, target=target, index=observed.index, now=now)


def is_overdue(rollout: Rollout, now: datetime) -> bool:
    """Whether what was decided has not come to its end within the deadline."""
    since = rollout.status.completed_at or rollout.status.decided_at
    return seconds_since(since, now) > rollout.spec.progress_deadline_seconds


def let_go(rollout: Rollout, observed: ObservedState, now: datetime) -> tuple[RolloutStatus, list[Effect]]:
    """The end of a deleted Rollout that does not come to one by itself; a candidate that has traffic outlives it."""
    status, target = rollout.status, observed.target
    is_promoted = status.phase != Phase.ROLLING_BACK
    end = _failed(status, now)
    if is_promoted:
        end = enter(status, Phase.SUCCEEDED, "Promoted", f"{rollout.spec.target} serves bundle {rollout.spec.bundle.version}", now)
    if isinstance(target, Absent):
        return end, []
    has_traffic = target.candidate is not None and target.candidate.is_owned and target.weight != 0
    if has_traffic and status.mode == "Standard":
        return status, [*([] if is_promoted else traffic_back(status, target)), OrphanCandidate()]
    return end, release(status, target)


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


def _without_target(status: RolloutStatus, target: Absent, now: datetime) -> tuple[RolloutStatus, list[Effect]]:
    if target.is_gone:
        return _failed(status, now), [DeleteCandidate()]
    return changed(status, message=f"{_cause(status)}; {target.message}"), []


def _returned(
    rollout: Rollout, status: RolloutStatus, *, target: Target, index: Index | None, now: datetime
) -> tuple[RolloutStatus, list[Effect]]:
    """Traffic and alias are with the stable version."""
    effects, is_back = _traffic_returned(rollout.spec.bundle, status, target)
    collection = returned_collection(status, target)
    if index is not None and index.stable == "unloaded" and collection is not None:
        effects.append(LoadCollection(collection))
    if collection is not None and (index is None or index.alias != collection):
        effects.append(MoveAlias(collection))
        must_wait = not rollout.is_deleting or seconds_since(status.decided_at, now) <= INDEX_SECONDS_MAX
        is_back = is_back and not must_wait
    if is_back:
        return changed(status, completed_at=now), effects
    return changed(status, message=_waiting(status, target)), effects


def _returned_without_collection(
    rollout: Rollout, status: RolloutStatus, target: Target, now: datetime
) -> tuple[RolloutStatus, list[Effect]]:
    """The traffic alone: to the stable version if it can take it; else the candidate keeps it, and the rollout ends so."""
    effects, is_back = _traffic_returned(rollout.spec.bundle, status, target)
    if is_back:
        message = f"{_cause(status)}; {_missing(status, target)}"
        return enter(status, Phase.ROLLING_BACK, STABLE_COLLECTION_MISSING, message, now, completed_at=now), effects
    if can_take_traffic(status, target) or effects or (rolls_over(status) and not is_overdue(rollout, now)):
        return changed(status, message=_waiting(status, target)), effects
    held = release(status, target)
    if held:
        return status, held
    message = f"{_cause(status)}; {_missing(status, target)}; the candidate keeps the traffic until {_serves_again(target)}"
    return enter(status, Phase.FAILED, STABLE_COLLECTION_MISSING, message, now, current_weight=target.weight or 0), []


def _traffic_returned(bundle: RolloutBundle, status: RolloutStatus, target: Target) -> tuple[list[Effect], bool]:
    """What returns the traffic, and whether it is back."""
    if rolls_over(status) and status.stable is not None and target.served.storage_uri == bundle.storage_uri:
        return [RestoreStable(status.stable)], False
    if rolls_over(status) and not target.is_settled:
        return [], False
    if target.weight != 0:
        return traffic_back(status, target), False
    return [], target.is_weight_in_force


def _cleared(
    rollout: Rollout, status: RolloutStatus, stable: Served, *, target: Target, now: datetime
) -> tuple[RolloutStatus, list[Effect]]:
    """The candidate is gone, the target has its own replicas, and in Knative mode it names the stable bundle again."""
    if status.mode == "Knative":
        if target.served.storage_uri != stable.storage_uri:
            return status, [RestoreStable(stable)]
        if target.candidate is not None and target.is_settled:
            return status, [DeleteCandidate()]
        is_hopeless = status.reason == STABLE_COLLECTION_MISSING and is_overdue(rollout, now)
        return (status, []) if target.candidate is not None and not is_hopeless else (_failed(status, now), [])
    effects = release(status, target)
    if target.candidate is not None and target.candidate.is_owned:
        return status, [*effects, *([DeleteCandidate()] if seconds_since(status.completed_at, now) >= DRAIN_SECONDS else [])]
    return (status, effects) if effects else (_failed(status, now), [])


def _missing(status: RolloutStatus, target: Target) -> str:
    stable = status.stable if rolls_over(status) or status.mode == "Knative" else target.served
    version = stable.version if stable is not None and stable.version is not None else "VERSION"
    return (
        f"Milvus has no collection {returned_collection(status, target)} of the stable version, which answers from fallbacks: "
        f"restore it with `endcap bundle store {version}` or `endcap index build`"
    )


def _serves_again(target: Target) -> str:
    return "the target has an available pod" if target.pods is not None and target.pods.available == 0 else "the target is ready"


def _waiting(status: RolloutStatus, target: Target) -> str:
    """The cause, and what the traffic waits for."""
    if target.weight != 0 and not can_take_traffic(status, target):
        return f"{_cause(status)}; the candidate keeps the traffic until {_serves_again(target)}: {target.message}"
    return status.message


def _failed(status: RolloutStatus, now: datetime) -> RolloutStatus:
    cause = status.message if status.reason == STABLE_COLLECTION_MISSING else _cause(status)
    return enter(status, Phase.FAILED, status.reason, f"rolled back: {cause}", now, completed_at=status.completed_at or now)


def _cause(status: RolloutStatus) -> str:
    return status.message.partition("; ")[0]
