"""RollingBack: the stable version has all traffic and the alias again, at once; then the candidate goes.

Only a target that was already being rolled over to the candidate's bundle takes longer: its pods have to serve the old one first.
"""

from datetime import datetime

from endcap.contracts.rollout import Phase, RolloutBundle, RolloutStatus, Served
from endcap.rollout.edits import confirmed
from endcap.rollout.effects import DeleteCandidate, Effect, MoveAlias, RestoreStable, SetWeight
from endcap.rollout.promoting import DRAIN_SECONDS
from endcap.rollout.resource import Rollout
from endcap.rollout.transition import changed, enter, seconds_since
from endcap.rollout.world import Absent, Index, Target, World


def decide_rolling_back(rollout: Rollout, world: World, now: datetime) -> tuple[RolloutStatus, list[Effect]]:
    spec, status, target = rollout.spec, rollout.status, world.target
    stable = status.stable
    if stable is None:
        return _failed(status, now), []
    if isinstance(target, Absent):
        if target.is_gone:
            return _failed(status, now), [DeleteCandidate()]
        return changed(status, message=f"{_cause(status)}; {target.message}"), []
    status = confirmed(spec, status, target)
    if status.completed_at is None:
        return _returned(spec.bundle, status, stable, target=target, index=world.index, now=now)
    return _cleared(status, stable, target, now)


def _returned(
    bundle: RolloutBundle, status: RolloutStatus, stable: Served, *, target: Target, index: Index | None, now: datetime
) -> tuple[RolloutStatus, list[Effect]]:
    """Traffic and alias are with the stable version."""
    effects: list[Effect] = []
    is_back = target.weight == 0 and target.is_weight_in_force
    must_restore = status.mode == "Standard" and status.promoting_at is not None
    if must_restore and target.served.storage_uri == bundle.storage_uri:
        effects.append(RestoreStable(stable))
        is_back = False
    elif must_restore and not target.is_settled:
        is_back = False
    elif target.weight != 0:
        effects.append(SetWeight(0))
    collection = stable.collection if must_restore or status.mode == "Knative" else target.served.collection
    if collection is not None and (index is None or index.alias != collection):
        effects.append(MoveAlias(collection))
        is_back = False
    return (changed(status, completed_at=now) if is_back else status), effects


def _cleared(status: RolloutStatus, stable: Served, target: Target, now: datetime) -> tuple[RolloutStatus, list[Effect]]:
    """The candidate is gone, and in Knative mode the target names the stable bundle again."""
    if status.mode == "Knative":
        if target.served.storage_uri != stable.storage_uri:
            return status, [RestoreStable(stable)]
        if target.candidate is not None:
            return status, [DeleteCandidate()] if target.is_settled else []
        return _failed(status, now), []
    if target.candidate is not None and target.candidate.is_owned:
        return status, [DeleteCandidate()] if seconds_since(status.completed_at, now) >= DRAIN_SECONDS else []
    return _failed(status, now), []


def _failed(status: RolloutStatus, now: datetime) -> RolloutStatus:
    fields = {"completed_at": status.completed_at or now}
    return enter(status, Phase.FAILED, status.reason, f"rolled back: {_cause(status)}", now, **fields)


def _cause(status: RolloutStatus) -> str:
    return status.message.partition("; ")[0]
