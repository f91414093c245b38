"""An objective that the data cannot teach is refused in one sentence."""

import pytest

from endcap.contracts.training_plan import TWO_TOWER, TrainingPlan
from endcap.core.errors import InvalidInput
from endcap_components.validate_data.asked_objective import check_objective
from tests.endcap.training.made_plan import made_plan


def with_examples(count: int) -> TrainingPlan:
    plan = made_plan()
    return plan.model_copy(update={"facts": plan.facts.model_copy(update={"examples": count})})


def test_an_objective_without_a_two_tower_says_what_the_data_lacks() -> None:
    reason = "3 items have 1 buyers or more; 10 are needed"
    nothing = made_plan({TWO_TOWER: reason})
    check_objective(nothing, "auto")
    with pytest.raises(InvalidInput, match=r"two_tower\.objective: cannot be learned: 3 items .* got 'next_item'; leave it to auto"):
        check_objective(nothing, "next_item")


def test_windows_need_somebody_who_bought_again_within_the_target_days() -> None:
    once = with_examples(0).model_copy(update={"objective": "next_item"})
    check_objective(once, "next_item")
    check_objective(once, "auto")
    check_objective(with_examples(50), "window")
    with pytest.raises(InvalidInput, match=r"nobody who had bought did so again within \d+ days .* use next_item, or leave it to auto"):
        check_objective(once, "window")
