"""Moving a status from one phase to the next, with what people and `kubectl wait` read."""

from datetime import datetime
from typing import Any

from endcap.contracts.rollout import Condition, Measurement, Phase, RolloutSpec, RolloutStatus, seconds_of
from endcap.release.rollout.resource import steps_taken

EDITED = "EditedByHand"
PROGRESSING_CONDITION = "Progressing"
CHAMPION_CONDITION = "ChampionMoved"
_GOING_ON = frozenset({Phase.INITIALIZING, Phase.PROGRESSING, Phase.PROMOTING, Phase.ROLLING_BACK})


def changed(status: RolloutStatus, **fields: Any) -> RolloutStatus:
    return status.model_copy(update=fields)


def enter(status: RolloutStatus, phase: Phase, reason: str, message: str, now: datetime, **fields: Any) -> RolloutStatus:
    """The status in a phase, for a reason; being there already for the same reason changes the message only."""
    begins = status.phase != phase or status.reason != reason
    entered = changed(
        status, phase=phase, reason=reason, message=message, phase_started_at=now if begins else status.phase_started_at, **fields
    )
    entered = with_condition(entered, PROGRESSING_CONDITION, phase in _GOING_ON, reason=reason, message=message, now=now)
    return with_condition(entered, EDITED, phase == Phase.PAUSED and reason == EDITED, reason=reason, message=message, now=now)


def with_condition(status: RolloutStatus, kind: str, is_true: bool, *, reason: str, message: str, now: datetime) -> RolloutStatus:
    """The status with one condition set; its time is that of the last change between true and false."""
    value = "True" if is_true else "False"
    before = next((condition for condition in status.conditions if condition.type == kind), None)
    since = before.last_transition_time if before is not None and before.status == value else now
    condition = Condition(type=kind, status=value, reason=reason or kind, message=message, last_transition_time=since)
    return changed(status, conditions=[*(each for each in status.conditions if each.type != kind), condition])


def begin_step(spec: RolloutSpec, status: RolloutStatus, index: int, now: datetime) -> RolloutStatus:
    """The status at the start of a step: its weight is wanted; its clock starts when the weight is in force."""
    weight = steps_taken(spec)[index].set_weight
    fields = {"current_step_index": index, "current_weight": weight, "unready_since": None, **_FRESH_STEP}
    message = f"step {index + 1} of {len(steps_taken(spec))}: {weight} % of the traffic"
    return changed(enter(status, Phase.PROGRESSING, f"Step{index + 1}", message, now), **fields)


def restart_step(status: RolloutStatus) -> RolloutStatus:
    """The same step again from its start, for what is measured changed."""
    return changed(status, **_FRESH_STEP)


def pause(status: RolloutStatus, reason: str, message: str, now: datetime) -> RolloutStatus:
    """Paused, and the step's clock stands still; who is paused already keeps the time of it."""
    return enter(status, Phase.PAUSED, reason, message, now, paused_at=status.paused_at or now)


def unpause(spec: RolloutSpec, status: RolloutStatus, now: datetime) -> RolloutStatus:
    """Back to where it was paused; the deadline for the candidate's progress moves by the length of the pause."""
    length = now - (status.paused_at or now)
    status = changed(status, paused_at=None, unready_since=None, load_failed_since=None)
    if status.capacity is not None:
        status = changed(status, capacity=status.capacity.model_copy(update={"progress_at": status.capacity.progress_at + length}))
    if status.promoting_at is not None:
        return enter(status, Phase.PROMOTING, "Resumed", "resumed", now)
    if status.current_step_index is None:
        started_at = (status.started_at or now) + length
        return enter(status, Phase.INITIALIZING, "Resumed", "resumed", now, started_at=started_at)
    held = status.step_held_seconds + (length.total_seconds() if status.step_started_at is not None else 0.0)
    reason = f"Step{status.current_step_index + 1}"
    message = f"step {status.current_step_index + 1} of {len(steps_taken(spec))}: {status.current_weight} % of the traffic, resumed"
    return enter(status, Phase.PROGRESSING, reason, message, now, step_held_seconds=held)


def promote(status: RolloutStatus, now: datetime) -> RolloutStatus:
    return enter(
        status,
        Phase.PROMOTING,
        "StepsDone",
        "the candidate takes the stable version's place",
        now,
        decided_at=now,
        current_weight=100,
        paused_at=None,
        unready_since=None,
    )


def roll_back(status: RolloutStatus, reason: str, message: str, now: datetime, tripped: Measurement | None = None) -> RolloutStatus:
    return enter(
        status,
        Phase.ROLLING_BACK,
        reason,
        message,
        now,
        decided_at=now,
        completed_at=None,
        current_weight=0,
        paused_at=None,
        unready_since=None,
        tripped=tripped,
    )


def with_measurements(status: RolloutStatus, analysis: list[Measurement], requests: int | None, now: datetime) -> RolloutStatus:
    return changed(status, analysis=analysis, step_requests=requests, measured_at=now)


def measured_in_step(status: RolloutStatus) -> list[Measurement]:
    """The newest measurements, when they are of this step: at its start there are only those of the step before."""
    return status.analysis if status.measured_at is not None else []


def is_measuring_due(spec: RolloutSpec, status: RolloutStatus, now: datetime) -> bool:
    """Whether guardrails are to be measured: the step's weight is in force, the candidate has traffic, the last look is an interval old."""
    if status.step_started_at is None or status.current_weight == 0:
        return False
    if status.measured_at is None:
        return True
    return (now - status.measured_at).total_seconds() >= seconds_of(spec.analysis.interval)


def seconds_since(moment: datetime | None, now: datetime) -> float:
    return (now - moment).total_seconds() if moment is not None else 0.0


_FRESH_STEP: dict[str, Any] = {
    "step_started_at": None,
    "step_held_seconds": 0.0,
    "step_released": False,
    "step_requests": None,
    "measured_at": None,
}
