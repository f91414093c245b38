"""A reading held against the limit."""

from datetime import datetime
from typing import Literal

from endcap.contracts.rollout import Guardrail, Measurement
from endcap_rollout_operator.guardrails.reading import Reading

Verdict = Literal["pass", "fail", "missing"]


def judged(guardrail: Guardrail, reading: Reading, at: datetime, before: Measurement | None) -> Measurement:
    """The measurement that a reading makes.

    Failures in a row go on from the measurement before; one without data in between neither adds to them nor forgives them.
    """
    if reading.stands and before is not None and before.verdict == "pass":
        return before.model_copy(update={"at": at, "message": f"{reading.message}; what was measured last stands"})
    verdict = _verdict(guardrail, reading)
    so_far = before.failures if before is not None else 0
    return Measurement(
        name=guardrail.name,
        at=at,
        verdict=verdict,
        value=reading.value,
        limit=guardrail.limit,
        direction=guardrail.direction,
        stable=reading.stable,
        failures={"pass": 0, "fail": so_far + 1, "missing": so_far}[verdict],
        message=reading.message,
    )


def _verdict(guardrail: Guardrail, reading: Reading) -> Verdict:
    if reading.value is None:
        return "missing"
    kept = reading.value <= guardrail.limit if guardrail.direction == "atMost" else reading.value >= guardrail.limit
    if kept:
        return "pass" if reading.enough else "missing"
    return "fail" if reading.enough or (reading.certain and guardrail.direction == "atMost") else "missing"
