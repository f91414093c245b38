"""Guardrails on outcomes need steps that are longer than the time outcomes are waited for."""

from collections.abc import Sequence
from datetime import timedelta

from endcap.contracts.rollout import OUTCOMES, Analysis, Step, seconds_of
from endcap.core.errors import InvalidInput

SETTING = "ENDCAP_OUTCOMES__LIST_MINUTES"


def refuse_short_steps(steps: Sequence[Step], analysis: Analysis, window: timedelta) -> None:
    """Refuse what could only say that nothing is known yet.

    A step that lasts until somebody resumes it is long enough.

    Args:
        steps: of a rollout.
        analysis: its guardrails.
        window: how long after it was shown a list is counted.

    Raises:
        InvalidInput: a guardrail is on outcomes, and a step may end before the first list of it is counted.
    """
    guardrail = next((each for each in analysis.guardrails if each.built_in in OUTCOMES), None)
    if guardrail is None:
        return
    for index, step in enumerate(steps):
        pause = step.pause
        lasts_s = seconds_of(pause.duration) if pause.duration is not None else 0
        if (pause.duration is None and pause.min_requests is None) or lasts_s > window.total_seconds():
            continue
        minutes = f"{window.total_seconds() / 60:g}"
        raise InvalidInput(
            f"guardrail {guardrail.name} counts a list {minutes} minutes after it was shown: a step has to be longer",
            field=f"steps[{index}].pause.duration",
            value=pause.duration,
            fix=f"make it longer than {minutes}m, lower {SETTING}, or leave out the guardrail",
        )
