"""Whether the objective that was asked for can be learned from the data, said before anything is computed."""

from typing import Literal

from endcap.contracts.training_plan import TWO_TOWER, TrainingPlan
from endcap.core.errors import InvalidInput

FIELD = "two_tower.objective"


def check_objective(plan: TrainingPlan, objective: Literal["auto", "window", "next_item"]) -> None:
    """Refuse an objective for which the data has no examples.

    Args:
        plan: what the data allows.
        objective: of the two-tower; `auto` for whatever fits.

    Raises:
        InvalidInput: with what the data lacks.
    """
    if objective == "auto":
        return
    if plan.objective is None:
        reason = f"cannot be learned: {plan.parts[TWO_TOWER].reason}"
        raise InvalidInput(reason, field=FIELD, value=objective, fix="leave it to auto, which trains the rest without a two-tower")
    if objective == "window" and not plan.facts.examples:
        reason = f"cannot be learned: nobody who had bought did so again within {plan.times.target_days} days of a snapshot"
        raise InvalidInput(reason, field=FIELD, value=objective, fix=f"use {plan.objective}, or leave it to auto")
