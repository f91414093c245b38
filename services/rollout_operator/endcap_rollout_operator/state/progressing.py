"""Progressing: the candidate has the step's share of the traffic until the step has done its time and every guardrail passes."""

from datetime import datetime

from endcap.contracts.rollout import Measurement, Pause, Phase, RolloutSpec, RolloutStatus, seconds_of
from endcap.release.rollout.resource import Rollout, step_index, step_seconds, steps_taken
from endcap_rollout_operator.state.abort_conditions import check_abort_conditions, check_progress
from endcap_rollout_operator.state.capacity import prepared, prepared_step
from endcap_rollout_operator.state.effects import Effect, SetWeight
from endcap_rollout_operator.state.manual_edits import confirmed, noticed_edit
from endcap_rollout_operator.state.observed_state import Absent, ObservedState, Target
from endcap_rollout_operator.state.rolling_back import traffic_back
from endcap_rollout_operator.state.transition import EDITED, begin_step, changed, enter, measured_in_step, pause, promote


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
    is_manual = _waits_for_person(steps[index].pause) and not status.step_released and not status.promote_requested
    if is_manual:
        return pause(status, "Step", f"{where}; waits for somebody to resume", now), []
    effects: list[Effect] = []
    lacking = _missing_for_next_step(spec, status, now)
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


def _waits_for_person(pause: Pause) -> bool:
    return pause.duration is None and pause.min_requests is None


def _missing_for_next_step(spec: RolloutSpec, status: RolloutStatus, now: datetime) -> list[str]:
    """What the present step still lacks, for people; empty when the next one may begin.

    A requested promotion skips time and requests, never the guardrails.
    """
    if status.step_started_at is None:
        return [f"a weight of {status.current_weight} % in force"]
    lacking = [] if status.promote_requested else _of_pause(steps_taken(spec)[step_index(spec, status)].pause, status, now)
    if status.current_weight == 0:
        return lacking
    newest = {measurement.name: measurement for measurement in measured_in_step(status)}
    for guardrail in spec.analysis.guardrails:
        lacking += _of_guardrail(guardrail.name, newest.get(guardrail.name))
    return lacking


def _of_pause(pause: Pause, status: RolloutStatus, now: datetime) -> list[str]:
    lacking = []
    if pause.duration is not None and step_seconds(status, now) < seconds_of(pause.duration):
        lacking.append(f"{pause.duration} at this weight")
    if pause.min_requests is not None and (status.step_requests or 0) < pause.min_requests:
        known = "an unknown number" if status.step_requests is None else str(status.step_requests)
        lacking.append(f"{pause.min_requests} requests ({known} so far)")
    if _waits_for_person(pause) and not status.step_released:
        lacking.append("somebody to resume")
    return lacking


def _of_guardrail(name: str, measurement: Measurement | None) -> list[str]:
    if measurement is None:
        return [f"{name} to be measured"]
    if measurement.verdict == "missing":
        return [f"{name} to have data"]
    return [f"{name} to pass"] if measurement.verdict == "fail" else []
