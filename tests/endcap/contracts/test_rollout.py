"""The resource's models: what they refuse."""

from typing import Any

import pytest
from pydantic import ValidationError

from endcap.contracts.rollout import DEFAULT_GUARDRAILS, DEFAULT_STEPS, Analysis, Guardrail, RolloutSpec, Step, seconds_of

BUNDLE = {"version": 20261124110000, "storageUri": "pvc://bundles/2", "collection": "endcap_2"}


def spec(**fields: Any) -> RolloutSpec:
    return RolloutSpec.model_validate({"target": "endcap", "bundle": BUNDLE, "steps": [{"setWeight": 5}], **fields})


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("10m", 600), ("1h30m", 5_400), ("1h0m1s", 3_601)])
def test_durations(text: str, seconds: int) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("duration", ["", "5", "5 m", "-5m", "1.5h", "5m1h", "123456s"])
def test_a_duration_that_is_none_is_refused(duration: str) -> None:
    with pytest.raises(ValidationError):
        spec(analysis={"interval": duration})


def test_weights_may_not_fall() -> None:
    assert [step.set_weight for step in spec(steps=[{"setWeight": 5}, {"setWeight": 5}, {"setWeight": 9}]).steps] == [5, 5, 9]
    with pytest.raises(ValidationError, match="may not fall"):
        spec(steps=[{"setWeight": 9}, {"setWeight": 5}])


def test_a_step_without_traffic_cannot_wait_for_requests() -> None:
    with pytest.raises(ValidationError, match="gets no requests"):
        Step.model_validate({"setWeight": 0, "pause": {"minRequests": 1}})


@pytest.mark.parametrize("sources", [{}, {"builtIn": "errorRate", "query": "up"}])
def test_a_guardrail_has_one_source(sources: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="either builtIn or query"):
        Guardrail.model_validate({"name": "errors", "limit": 1, **sources})


def test_two_guardrails_cannot_share_a_name() -> None:
    with pytest.raises(ValidationError, match="named errors"):
        Analysis(guardrails=[Guardrail(name="errors", query="up", limit=1)] * 2)


@pytest.mark.parametrize("target", ["", "Endcap", "-endcap", "endcap-", "a" * 44, "1endcap"])
def test_a_target_is_a_name_that_leaves_room_for_its_candidate(target: str) -> None:
    with pytest.raises(ValidationError):
        spec(target=target)


def test_the_defaults_can_be_used() -> None:
    made = RolloutSpec(target="endcap", bundle=spec().bundle, steps=DEFAULT_STEPS, analysis=Analysis(guardrails=DEFAULT_GUARDRAILS))
    assert made.steps[-1].set_weight == 100


@pytest.mark.parametrize("built_in", ["clickThrough", "conversion"])
def test_outcomes_are_guarded_from_below(built_in: str) -> None:
    with pytest.raises(ValidationError, match="needs direction atLeast"):
        Guardrail.model_validate({"name": "outcome", "builtIn": built_in, "limit": -0.02})
    assert Guardrail.model_validate({"name": "outcome", "builtIn": built_in, "limit": -0.02, "direction": "atLeast"}).limit == -0.02
