"""What aborts a rollout at any step, paused or not: it is gone or has no pod that takes traffic, or a guardrail trips.

That some of its pods are missing ends nothing: a scale-out, an eviction or a drained node looks like that and heals. Only when it makes no
progress for the deadline is it rolled back.
"""

from datetime import datetime

from endcap.contracts.rollout import Guardrail, Measurement, RolloutSpec, RolloutStatus
from endcap_rollout_operator.state.capacity import is_stalled, shortage, with_progress
from endcap_rollout_operator.state.observed_state import Absent, Target
from endcap_rollout_operator.state.transition import changed, measured_in_step, roll_back, seconds_since

UNREADY_SECONDS_MAX = 15.0
"""Long enough for one late probe, short against what its share of the shoppers would see."""


def check_abort_conditions(spec: RolloutSpec, status: RolloutStatus, target: Target | Absent, now: datetime) -> tuple[RolloutStatus, bool]:
    """The status, rolled back if anything calls for it; and whether it was."""
    tripped = tripped_measurement(spec, status)
    if tripped is not None:
        return roll_back(status, "GuardrailTripped", measurement_message(tripped), now, tripped=tripped), True
    if isinstance(target, Absent):
        return (roll_back(status, target.reason, target.message, now), True) if target.is_gone else (status, False)
    return _with_readiness(status, target, now)


def _with_readiness(status: RolloutStatus, target: Target, now: datetime) -> tuple[RolloutStatus, bool]:
    if target.candidate is None:
        return roll_back(status, "CandidateGone", "the candidate was deleted", now), True
    if target.candidate.is_ready:
        return changed(status, unready_since=None), False
    status = changed(status, unready_since=status.unready_since or now)
    if seconds_since(status.unready_since, now) > UNREADY_SECONDS_MAX:
        message = target.candidate.message or "it has no available pod"
        return roll_back(status, "CandidateNotReady", message, now), True
    return status, False


def check_progress(spec: RolloutSpec, status: RolloutStatus, target: Target, now: datetime) -> tuple[RolloutStatus, bool]:
    """The status with the candidate's progress; rolled back, and True, when it made none for too long."""
    status = with_progress(status, target, now)
    if not is_stalled(spec, status, target, now):
        return status, False
    message = f"no progress for {spec.progress_deadline_seconds} s: {shortage(status, target)}"
    return roll_back(status, "ProgressDeadlineExceeded", message, now), True


def tripped_measurement(spec: RolloutSpec, status: RolloutStatus) -> Measurement | None:
    """The first measurement of this step that broke its limit more often in a row than its guardrail allows."""
    limits: dict[str, Guardrail] = {guardrail.name: guardrail for guardrail in spec.analysis.guardrails}
    for measurement in measured_in_step(status):
        guardrail = limits.get(measurement.name)
        if guardrail is not None and measurement.verdict == "fail" and measurement.failures > guardrail.failure_limit:
            return measurement
    return None


def measurement_message(measurement: Measurement) -> str:
    """One line for people: what was measured, against what."""
    side = "at most" if measurement.direction == "atMost" else "at least"
    value = "no data" if measurement.value is None else f"{measurement.value:.4g}"
    stable = "" if measurement.stable is None else f", stable version {measurement.stable:.4g}"
    return f"{measurement.name}: {value}, may be {side} {measurement.limit:.4g}{stable}"
