from datetime import timedelta

import pytest

from endcap.contracts.rollout import Analysis, BuiltIn, Guardrail, Pause, Step
from endcap.core.errors import InvalidInput
from endcap.release.rollout.outcome_steps import refuse_short_steps

WINDOW = timedelta(minutes=30)
CLICKS = Guardrail(name="clicks", built_in=BuiltIn.CLICK_THROUGH, limit=-0.02, direction="atLeast")
ERRORS = Guardrail(name="errors", built_in=BuiltIn.ERROR_RATE, limit=0.01)


def steps(*pauses: Pause) -> list[Step]:
    return [Step(set_weight=50, pause=pause) for pause in pauses]


def is_taken(pause: Pause, guardrail: Guardrail) -> bool:
    try:
        refuse_short_steps(steps(pause), Analysis(guardrails=[guardrail]), WINDOW)
    except InvalidInput:
        return False
    return True


@pytest.mark.parametrize("pause", [Pause(duration="30m"), Pause(duration="90s", min_requests=10), Pause(min_requests=10)])
@pytest.mark.parametrize("built_in", [BuiltIn.CLICK_THROUGH, BuiltIn.CONVERSION])
def test_a_step_that_may_end_before_its_lists_are_counted_is_refused(pause: Pause, built_in: BuiltIn) -> None:
    guardrail = CLICKS.model_copy(update={"built_in": built_in})
    with pytest.raises(InvalidInput) as refused:
        refuse_short_steps(steps(Pause(duration="1h"), pause), Analysis(guardrails=[ERRORS, guardrail]), WINDOW)
    assert (refused.value.field, refused.value.value) == ("steps[1].pause.duration", pause.duration)
    assert "30m" in str(refused.value.fix)


@pytest.mark.parametrize("pause", [Pause(duration="31m"), Pause(duration="30m1s", min_requests=10), Pause()])
def test_longer_steps_and_steps_that_somebody_ends_are_taken(pause: Pause) -> None:
    assert is_taken(pause, CLICKS)


def test_without_a_guardrail_on_outcomes_steps_are_as_short_as_one_likes() -> None:
    assert is_taken(Pause(duration="1s"), ERRORS)
