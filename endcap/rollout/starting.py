"""Initializing: the stable version is noted, the candidate's collection is there, the candidate gets ready. Nobody is served by it yet."""

from datetime import datetime

from endcap.contracts.rollout import Phase, RolloutSpec, RolloutStatus
from endcap.rollout.edits import confirmed, noticed_edit
from endcap.rollout.effects import Effect, EnsureCandidate, LoadCollection, SetWeight
from endcap.rollout.resource import Rollout
from endcap.rollout.steps import steps_taken
from endcap.rollout.transition import EDITED, begin_step, changed, enter, pause, roll_back, seconds_since
from endcap.rollout.world import Absent, Index, Target, World


def decide_starting(rollout: Rollout, world: World, now: datetime) -> tuple[RolloutStatus, list[Effect]]:
    spec, status = rollout.spec, rollout.status
    if seconds_since(status.started_at, now) > spec.progress_deadline_seconds:
        message = f"not ready after {spec.progress_deadline_seconds} s: {status.message}"
        return roll_back(status, "ProgressDeadlineExceeded", message, now), []
    target = world.target
    if isinstance(target, Absent):
        return enter(status, Phase.INITIALIZING, target.reason, target.message, now), []
    if status.stable is None:
        return _noted(spec, status, target, now), []
    status = confirmed(spec, status, target)
    edit = noticed_edit(spec, status, target)
    if edit is not None:
        return pause(status, EDITED, edit, now), []
    return _for_index(spec, status, world.index, now) or _for_candidate(spec, status, target, now)


def _noted(spec: RolloutSpec, status: RolloutStatus, target: Target, now: datetime) -> RolloutStatus:
    """The status with what is to come back after a rollback."""
    if target.served.storage_uri == spec.bundle.storage_uri:
        message = f"{spec.target} serves this bundle already"
        return enter(status, Phase.SUCCEEDED, "AlreadyServed", message, now, mode=target.mode, completed_at=now)
    if target.candidate is not None or target.weight != 0:
        message = f"{spec.target} shares its traffic already; end that first"
        return enter(status, Phase.INITIALIZING, "TargetNotAtRest", message, now)
    if not target.is_settled:
        return enter(status, Phase.INITIALIZING, "TargetNotReady", f"{spec.target} is not ready: {target.message}", now)
    return changed(status, mode=target.mode, stable=target.served, written=target.served, written_weight=0, current_weight=0)


def _for_index(spec: RolloutSpec, status: RolloutStatus, index: Index | None, now: datetime) -> tuple[RolloutStatus, list[Effect]] | None:
    """What is to be done for the candidate's collection; None when it can be searched."""
    collection = spec.bundle.collection
    if index is None:
        return enter(status, Phase.INITIALIZING, "MilvusUnavailable", "Milvus does not answer", now), []
    if index.collection == "missing":
        message = f"Milvus has no collection {collection}; build it with `endcap index build`"
        return enter(status, Phase.INITIALIZING, "CollectionMissing", message, now), []
    if index.collection == "unloaded":
        return enter(status, Phase.INITIALIZING, "CollectionLoading", f"{collection} is loaded", now), [LoadCollection(collection)]
    return None


def _for_candidate(spec: RolloutSpec, status: RolloutStatus, target: Target, now: datetime) -> tuple[RolloutStatus, list[Effect]]:
    candidate = target.candidate
    if candidate is None:
        message = f"bundle {spec.bundle.version} starts"
        return enter(status, Phase.INITIALIZING, "CandidateStarting", message, now), [EnsureCandidate(spec.bundle)]
    if not candidate.is_owned:
        return enter(status, Phase.INITIALIZING, "CandidateForeign", candidate.message, now), []
    if not candidate.is_ready:
        return enter(status, Phase.INITIALIZING, "CandidateStarting", candidate.message, now), []
    index = len(steps_taken(spec)) - 1 if status.promote_requested else 0
    status = begin_step(spec, status, index, now)
    return status, [SetWeight(status.current_weight)]
