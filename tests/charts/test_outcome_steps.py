"""Guardrails on outcomes and the steps they need."""

from pathlib import Path
from typing import Any

import pytest

from tests.charts.chart import Refused, one, render

CLICKS = {"name": "clicks", "builtIn": "clickThrough", "limit": -0.02, "direction": "atLeast"}
BUYS = {"name": "buys", "builtIn": "conversion", "limit": -0.02, "direction": "atLeast"}
ERRORS = {"name": "errors", "builtIn": "errorRate", "limit": 0.01}


def values(guardrail: dict[str, Any], *pauses: dict[str, Any] | None, minutes: float = 30) -> dict[str, Any]:
    steps = [{"setWeight": 50} | ({} if pause is None else {"pause": pause}) for pause in pauses]
    return {"outcomes": {"listMinutes": minutes}, "rollouts": {"steps": steps, "analysis": {"guardrails": [ERRORS, guardrail]}}}


@pytest.mark.parametrize("guardrail", [CLICKS, BUYS], ids=["clicks", "buys"])
@pytest.mark.parametrize("pause", [{"duration": "30m"}, {"duration": "1799s"}, {"minRequests": 5}, None], ids=str)
def test_a_step_that_is_too_short_for_outcomes_is_refused(tmp_path: Path, guardrail: dict[str, Any], pause: dict[str, Any] | None) -> None:
    with pytest.raises(Refused) as refused:
        render(tmp_path, "minimal", values(guardrail, {"duration": "1h"}, pause))
    assert "rollouts.steps[1].pause.duration" in str(refused.value)
    assert f"too short for guardrail {guardrail['name']}" in str(refused.value)
    assert "outcomes.listMinutes" in str(refused.value)


def test_endcaps_own_steps_are_too_short_for_outcomes(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="own steps are too short for guardrail clicks"):
        render(tmp_path, "minimal", values(CLICKS))


def test_longer_steps_are_taken_and_the_operator_waits_as_long(tmp_path: Path) -> None:
    given = values(CLICKS, {"duration": "20m1s"}, {"duration": "1h30m"}, {}, minutes=20)
    given["rollouts"]["operator"] = {"enabled": True}
    objects = render(tmp_path, "minimal", given)
    container = one(objects, "Deployment", "endcap-rollout-operator")["spec"]["template"]["spec"]["containers"][0]
    assert {each["name"]: each.get("value") for each in container["env"]}["ENDCAP_OUTCOMES__LIST_MINUTES"] == "20"


def test_other_guardrails_leave_steps_as_short_as_they_are(tmp_path: Path) -> None:
    assert render(tmp_path, "minimal", values(ERRORS, {"duration": "10s"}))
