"""Promoting: all traffic to the candidate, then the target takes its bundle over, then the candidate is not needed any more.

In Standard mode the target rolls its own pods to the bundle while the candidate has all traffic, and gets it back when they are ready.
In Knative mode the candidate is the target's newest revision: taking the split away is all.
"""

from datetime import datetime

from endcap.contracts.rollout import Phase, RolloutSpec, RolloutStatus
from endcap.release.rollout.resource import Rollout
from endcap_rollout_operator.state.capacity import release
from endcap_rollout_operator.state.effects import DeleteCandidate, Effect, MakeChampion, MoveAlias, PromoteStable, SetWeight
from endcap_rollout_operator.state.manual_edits import confirmed, noticed_edit
from endcap_rollout_operator.state.observed_state import Absent, Index, ObservedState, Target
from endcap_rollout_operator.state.transition import CHAMPION_CONDITION, EDITED, changed, enter, pause, seconds_since, with_condition

DRAIN_SECONDS = 10.0
"""Between the last request sent to the candidate and its end: what gateways need to see a new split, and requests to be answered."""
CHAMPION_SECONDS_MAX = 120.0
"""How long a registry that does not answer is tried again before the rollout ends without it."""


def decide_promoting(rollout: Rollout, observed: ObservedState, now: datetime) -> tuple[RolloutStatus, list[Effect]]:
    spec, status, target = rollout.spec, rollout.status, observed.target
    if isinstance(target, Absent):
        return enter(status, Phase.PROMOTING, target.reason, target.message, now), []
    status = confirmed(spec, status, target)
    edit = noticed_edit(spec, status, target)
    if edit is not None:
        return pause(status, EDITED, edit, now), []
    if status.promoting_at is None:
        if target.weight != status.current_weight or not target.is_weight_in_force:
            return _promoting(status, "AllTraffic", "the candidate gets all traffic", now), [SetWeight(status.current_weight)]
        return _promoting(changed(status, promoting_at=now), "TargetRollsOver", f"{spec.target} takes the bundle over", now), []
    if status.completed_at is None:
        return _taken_over(spec, status, target, observed.index, now)
    return _closing(spec, status, target, observed, now)


def _taken_over(
    spec: RolloutSpec, status: RolloutStatus, target: Target, index: Index | None, now: datetime
) -> tuple[RolloutStatus, list[Effect]]:
    """The target serves the bundle itself, has all traffic, and the alias is with it."""
    effects: list[Effect] = []
    if index is None or index.alias != spec.bundle.collection:
        effects.append(MoveAlias(spec.bundle.collection))
    message = f"{spec.target} takes the bundle over"
    if target.served.storage_uri != spec.bundle.storage_uri or _has_split(status, target):
        return _promoting(status, "TargetRollsOver", message, now), [*effects, PromoteStable(spec.bundle)]
    if not target.is_settled:
        return _promoting(status, "TargetRollsOver", f"{message}: {target.message}", now), effects
    if status.mode == "Standard":
        status = changed(status, current_weight=0)
        if target.weight != 0:
            return _promoting(status, "TrafficReturns", f"the traffic goes back to {spec.target}", now), [*effects, SetWeight(0)]
        status = changed(status, written_weight=0)
    if effects:
        return _promoting(status, "AliasMoves", f"the alias moves to {spec.bundle.collection}", now), effects
    return _promoting(changed(status, completed_at=now), "Draining", "the candidate answers its last requests", now), []


def _closing(
    spec: RolloutSpec, status: RolloutStatus, target: Target, observed: ObservedState, now: datetime
) -> tuple[RolloutStatus, list[Effect]]:
    """The registry follows and the candidate goes; it serves no request any more."""
    waited = seconds_since(status.completed_at, now)
    champion_due = observed.has_registry and observed.champion != spec.bundle.version
    effects: list[Effect] = [MakeChampion(spec.bundle.version)] if champion_due and waited <= CHAMPION_SECONDS_MAX else []
    released = release(status, target)
    if target.candidate is not None and status.mode == "Standard":
        return status, [*released, *effects, DeleteCandidate()] if waited >= DRAIN_SECONDS else [*released, *effects]
    if released:
        return _promoting(status, "ReplicasReturn", f"{spec.target} gets its own minReplicas back", now), [*released, *effects]
    if effects:
        return _promoting(status, "ChampionMoves", "MLflow's champion follows", now), effects
    if observed.has_registry:
        found = f"MLflow's champion is {observed.champion or 'not set'}"
        if observed.champion_unknown:
            found = f"MLflow's champion is not known ({observed.champion_unknown})"
        message = f"{found}; run `endcap bundle promote` or set the alias there" if champion_due else found
        status = with_condition(status, CHAMPION_CONDITION, not champion_due, reason="Registry", message=message, now=now)
    return enter(status, Phase.SUCCEEDED, "Promoted", f"{spec.target} serves bundle {spec.bundle.version}", now), []


def _has_split(status: RolloutStatus, target: Target) -> bool:
    return status.mode == "Knative" and target.candidate is not None


def _promoting(status: RolloutStatus, reason: str, message: str, now: datetime) -> RolloutStatus:
    return enter(status, Phase.PROMOTING, reason, message, now)
