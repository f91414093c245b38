"""Progressing: the candidate has the step's share of the traffic until the step has done its time and every guardrail passes."""

from datetime import datetime

from endcap.contracts.rollout import Phase, RolloutSpec, RolloutStatus
from endcap.release.rollout.resource import Rollout
from endcap.release.rollout.steps import missing_for_next_step, step_index, steps_taken, waits_for_person
from endcap_rollout_operator.state.abort_conditions import check_abort_conditions, check_progress
from endcap_rollout_operator.state.capacity import prepared, prepared_step
from endcap_rollout_operator.state.effects import Effect, SetWeight
from endcap_rollout_operator.state.manual_edits import confirmed, noticed_edit
from endcap_rollout_operator.state.observed_state import Absent, ObservedState, Target
from endcap_rollout_operator.state.returning import traffic_back
from endcap_rollout_operator.state.transition import EDITED, begin_step, changed, enter, pause, promote


def decide_progressing(rollout: Rollout, observed: ObservedState, now: datetime) -> tuple[RolloutStatus, list[Effect]]:
    spec, status, target = rollout.spec, rollout.status, observed.target
    if not isinstance(target, Absent):
        status = confirmed(spec, status, target)
        edit = noticed_edit(spec, status, target)
        if edit is not None:
            return pause(status, EDITED, edit, now), []
    status, is_over = check_abort_conditions(spec, status, target, now)
    if isinstance(target, Absent):
        return (status, []) if is_over else (enter(status, Phase.PROGRESSING, target.reason, target.message, now), [])
    if not is_over:
        status, is_over = check_progress(spec, status, target, now)
    if is_over:
        return status, traffic_back(status, target)
    status, effects = with_weight(status, target, now)
    if status.step_started_at is None:
        return status, effects
    return _after_look(rollout, status, target, now)


def with_weight(status: RolloutStatus, target: Target, now: datetime) -> tuple[RolloutStatus, list[Effect]]:
    """The step's weight is set if it is not there; its clock started when it is in force."""
    if target.weight != status.current_weight:
        return status, [SetWeight(status.current_weight)]
    if target.is_weight_in_force and status.step_started_at is None:
        return changed(status, step_started_at=now), []
    return status, []


def _after_look(rollout: Rollout, status: RolloutStatus, target: Target, now: datetime) -> tuple[RolloutStatus, list[Effect]]:
    spec = rollout.spec
    index, steps = step_index(spec, status), steps_taken(spec)
    where = f"step {index + 1} of {len(steps)}: {status.current_weight} % of the traffic"
    if status.promote_requested and index + 1 < len(steps):
        return _next_step(spec, status, target, len(steps) - 1, where=where, now=now)
    is_manual = waits_for_person(steps[index].pause) and not status.step_released and not status.promote_requested
    if is_manual:
        return pause(status, "Step", f"{where}; waits for somebody to resume", now), []
    effects: list[Effect] = []
    lacking = missing_for_next_step(spec, status, now)
    if status.capacity is None or status.capacity.weight == status.current_weight:  # else it is the next step's already
        present = prepared(status, target, status.current_weight, now)
        status, effects = present.status, list(present.effects)
        lacking += [present.lacking] if present.lacking is not None else []
    if lacking:
        return enter(status, Phase.PROGRESSING, f"Step{index + 1}", f"{where}; waits for {', '.join(lacking)}", now), effects
    if index + 1 < len(steps):
        return _next_step(spec, status, target, index + 1, where=where, now=now)
    return promote(status, now), []


def _next_step(
    spec: RolloutSpec, status: RolloutStatus, target: Target, index: int, *, where: str, now: datetime
) -> tuple[RolloutStatus, list[Effect]]:
    """Another step, once the candidate has the pods for it; until then guardrails are measured at the present one."""
    preparation = prepared_step(status, target, steps_taken(spec)[index].set_weight, now)
    if preparation.lacking is not None:
        message = f"{where}; waits for {preparation.lacking}"
        present = f"Step{step_index(spec, status) + 1}"
        return enter(preparation.status, Phase.PROGRESSING, present, message, now), list(preparation.effects)
    status = begin_step(spec, preparation.status, index, now)
    return status, [SetWeight(status.current_weight)]
