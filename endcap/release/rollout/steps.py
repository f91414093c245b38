"""The steps a rollout really takes, and when one of them has done its time."""

from datetime import datetime

from endcap.contracts.rollout import Measurement, Pause, RolloutSpec, RolloutStatus, Step, seconds_of

FULL_WEIGHT = 100


def steps_taken(spec: RolloutSpec) -> list[Step]:
    """The spec's steps; where they end lower, one with all traffic follows that lasts for one look at the guardrails."""
    if spec.steps[-1].set_weight == FULL_WEIGHT:
        return list(spec.steps)
    return [*spec.steps, Step(set_weight=FULL_WEIGHT, pause=Pause(duration=spec.analysis.interval))]


def step_index(spec: RolloutSpec, status: RolloutStatus) -> int:
    """The present step; the last one when steps were taken out of the spec meanwhile."""
    return min(status.current_step_index or 0, len(steps_taken(spec)) - 1)


def step_seconds(status: RolloutStatus, now: datetime) -> float:
    """How long the step has run, without the time it was paused."""
    if status.step_started_at is None:
        return 0.0
    until = status.paused_at or now
    return (until - status.step_started_at).total_seconds() - status.step_held_seconds


def measured_in_step(status: RolloutStatus) -> list[Measurement]:
    """The newest measurements, when they are of this step: at its start there are only those of the step before."""
    return status.analysis if status.measured_at is not None else []


def waits_for_person(pause: Pause) -> bool:
    return pause.duration is None and pause.min_requests is None


def is_measuring_due(spec: RolloutSpec, status: RolloutStatus, now: datetime) -> bool:
    """Whether guardrails are to be measured: the step's weight is in force, the candidate has traffic, the last look is an interval old."""
    if status.step_started_at is None or status.current_weight == 0:
        return False
    if status.measured_at is None:
        return True
    return (now - status.measured_at).total_seconds() >= seconds_of(spec.analysis.interval)


def missing_for_next_step(spec: RolloutSpec, status: RolloutStatus, now: datetime) -> list[str]:
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
    if waits_for_person(pause) and not status.step_released:
        lacking.append("somebody to resume")
    return lacking


def _of_guardrail(name: str, measurement: Measurement | None) -> list[str]:
    if measurement is None:
        return [f"{name} to be measured"]
    if measurement.verdict == "missing":
        return [f"{name} to have data"]
    return [f"{name} to pass"] if measurement.verdict == "fail" else []
