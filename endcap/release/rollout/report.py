"""A rollout for people: rows of tables."""

from datetime import datetime
from typing import Any

from endcap.contracts.moment import DAY_S
from endcap.contracts.rollout import Measurement
from endcap.release.rollout.resource import Rollout, step_index, step_seconds, steps_taken


def overview_row(rollout: Rollout, now: datetime) -> dict[str, Any]:
    """One rollout among others."""
    status = rollout.status
    return {
        "rollout": rollout.name,
        "target": rollout.spec.target,
        "phase": str(status.phase or "new"),
        "step": _step(rollout),
        "weight": f"{status.current_weight} %",
        "reason": status.reason,
        "age": lasting((now - rollout.created_at).total_seconds()),
    }


def summary_rows(rollout: Rollout, now: datetime) -> list[dict[str, Any]]:
    """What one rollout is, where it stands and why; what it has nothing to say about is left out."""
    status, bundle = rollout.status, rollout.spec.bundle
    has_step = status.current_step_index is not None
    fields = {
        "target": f"{rollout.spec.target} ({status.mode})" if status.mode else rollout.spec.target,
        "bundle": f"{bundle.version} ({bundle.storage_uri})",
        "stable": f"{status.stable.version} ({status.stable.storage_uri})" if status.stable else None,
        "phase": str(status.phase or "new: no operator has looked at it"),
        "why": f"{status.reason}: {status.message}" if status.reason else None,
        "step": _step(rollout) if has_step else None,
        "weight": f"{status.current_weight} % of the traffic" if has_step else None,
        "pods": _pods(rollout),
        "at this step": lasting(step_seconds(status, now)) if has_step and status.step_started_at and not rollout.has_ended else None,
        "requests": status.step_requests,
        "tripped": _tripped(status.tripped) if status.tripped else None,
        "decided": status.decided_at,
        "completed": _completed(rollout),
    }
    return [{"field": name, "value": str(value)} for name, value in fields.items() if value is not None]


def guardrail_rows(rollout: Rollout) -> list[dict[str, Any]]:
    """Each guardrail's value against its limit."""
    newest = {measurement.name: measurement for measurement in rollout.status.analysis}
    rows = []
    for guardrail in rollout.spec.analysis.guardrails:
        measurement = newest.get(guardrail.name)
        side = "at most" if guardrail.direction == "atMost" else "at least"
        rows.append(
            {
                "guardrail": guardrail.name,
                "verdict": measurement.verdict if measurement else "not measured",
                "value": _number(measurement.value if measurement else None),
                "limit": f"{side} {guardrail.limit:g}",
                "stable": _number(measurement.stable if measurement else None),
                "failures": f"{measurement.failures if measurement else 0} of {guardrail.failure_limit} allowed",
                "message": measurement.message if measurement else "",
            }
        )
    return rows


def lasting(seconds: float) -> str:
    """A length of time in its two largest units, for example 3m20s."""
    whole = max(int(seconds), 0)
    parts = [(whole // DAY_S, "d"), (whole // 3_600 % 24, "h"), (whole // 60 % 60, "m"), (whole % 60, "s")]
    first = next((index for index, (number, _) in enumerate(parts) if number), len(parts) - 1)
    return "".join(f"{number}{unit}" for number, unit in parts[first : first + 2] if number or unit == "s")


def _step(rollout: Rollout) -> str:
    steps = steps_taken(rollout.spec)
    return (
        f"{step_index(rollout.spec, rollout.status) + 1}/{len(steps)}"
        if rollout.status.current_step_index is not None
        else f"-/{len(steps)}"
    )


def _pods(rollout: Rollout) -> str | None:
    """What each version has to have, while it is under way; None where Knative scales them."""
    capacity, held = rollout.status.capacity, rollout.status.held_replicas
    if capacity is None or rollout.has_ended:
        return None
    kept = f", the target keeps {held}" if held is not None else ""
    return f"the candidate needs {capacity.pods} for {capacity.weight} % of the traffic{kept}"


def _completed(rollout: Rollout) -> str | None:
    status = rollout.status
    if status.completed_at is None or status.decided_at is None:
        return None
    return f"{status.completed_at} ({lasting((status.completed_at - status.decided_at).total_seconds())} after the decision)"


def _tripped(measurement: Measurement) -> str:
    return f"{measurement.name} at {measurement.at}: {_number(measurement.value)}, limit {measurement.limit:g}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
