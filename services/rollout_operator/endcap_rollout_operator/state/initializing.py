"""Initializing: the stable version is noted, the candidate's collection is there, the candidate gets its pods; it has no traffic yet."""

from datetime import datetime

from endcap.contracts.rollout import Phase, RolloutSpec, RolloutStatus
from endcap.release.rollout.resource import Rollout, steps_taken
from endcap_rollout_operator.state.capacity import Preparation, prepared, prepared_step, with_progress
from endcap_rollout_operator.state.effects import Effect, EnsureCandidate, LoadCollection, SetWeight
from endcap_rollout_operator.state.manual_edits import confirmed, noticed_edit
from endcap_rollout_operator.state.observed_state import Absent, Candidate, Index, ObservedState, Target
from endcap_rollout_operator.state.refusals import reason_to_wait
from endcap_rollout_operator.state.transition import EDITED, begin_step, changed, enter, pause, roll_back, seconds_since

FAILED_SECONDS_MAX = 60.0
RESTARTS_MAX = 2
"""Of the model container: what failed twice in the same way is not going to load."""


def decide_initializing(rollout: Rollout, observed: ObservedState, now: datetime) -> tuple[RolloutStatus, list[Effect]]:
    spec, target = rollout.spec, observed.target
    status = with_progress(rollout.status, target, now)
    if _seconds_without_progress(status, now) > spec.progress_deadline_seconds:
        message = f"no progress for {spec.progress_deadline_seconds} s: {reason_to_wait(status)}"
        return roll_back(status, "ProgressDeadlineExceeded", message, now), []
    if observed.refusal:
        return roll_back(status, "StepTooShort", observed.refusal, now), []
    if isinstance(target, Absent):
        return enter(status, Phase.INITIALIZING, target.reason, target.message, now), []
    if status.stable is None:
        return _noted(spec, status, target, now), []
    status = confirmed(spec, status, target)
    edit = noticed_edit(spec, status, target)
    if edit is not None:
        return pause(status, EDITED, edit, now), []
    return _for_index(spec, status, observed.index, now) or _for_candidate(spec, status, target, now)


def _seconds_without_progress(status: RolloutStatus, now: datetime) -> float:
    """Since the rollout began, or since another pod of the candidate came up."""
    began, capacity = status.started_at or now, status.capacity
    return seconds_since(max(began, capacity.progress_at) if capacity is not None else began, now)


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
    status = _with_load_failure(status, candidate, now)
    if status.phase == Phase.ROLLING_BACK:
        return status, []
    index = len(steps_taken(spec)) - 1 if status.promote_requested else 0
    own = prepared(status, target, 0, now) if _awaits_own_pods(status) else Preparation(status)
    lacking = own.lacking if candidate.is_ready else own.lacking or candidate.message
    if lacking is not None:
        return _waiting(own.status, candidate, lacking, now), list(own.effects)
    step = prepared_step(own.status, target, steps_taken(spec)[index].set_weight, now)
    if step.lacking is not None:
        return _waiting(step.status, candidate, step.lacking, now), list(step.effects)
    status = begin_step(spec, step.status, index, now)
    return status, [SetWeight(status.current_weight)]


def _with_load_failure(status: RolloutStatus, candidate: Candidate, now: datetime) -> RolloutStatus:
    """The status with the time since KServe says that the model fails to load: a store may answer late.

    Rolled back when that has lasted, or when the model was tried often enough.

    While a pod of the candidate serves, one that fails beside it is a matter of that pod or its node, and of the deadline.
    """
    failure = candidate.load_failure
    if failure is None or candidate.is_ready:
        return changed(status, load_failed_since=None)
    status = changed(status, load_failed_since=status.load_failed_since or now)
    if failure.restarts >= RESTARTS_MAX or seconds_since(status.load_failed_since, now) > FAILED_SECONDS_MAX:
        return roll_back(status, "CandidateLoadFailed", failure.message, now)
    return status


def _awaits_own_pods(status: RolloutStatus) -> bool:
    """Whether the candidate is to have the pods of its own `minReplicas` before more of them are reckoned."""
    return status.capacity is None or status.capacity.weight == 0


def _waiting(status: RolloutStatus, candidate: Candidate, lacking: str, now: datetime) -> RolloutStatus:
    reason = "CandidateLoadFailed" if status.load_failed_since is not None else "CandidateStarting"
    return enter(status, Phase.INITIALIZING, reason, f"waits for {lacking}" if candidate.pods is not None else lacking, now)
