"""Every knob of the student."""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from endcap.core.overrides import overridden


class DistillationHyperparameters(BaseModel):
    """Hyperparameters of the student. Unknown names are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    epochs: int = Field(3, ge=1)
    steps_min: int = Field(600, ge=1, description="More epochs are run until there are so many steps: little data needs more passes.")
    queries_a_batch: int = Field(8, ge=1, description="Users a step, each with all candidates.")
    learning_rate: float = Field(4e-3, gt=0, description="Start value; falls to 0 as a cosine.")
    hidden: tuple[int, ...] = Field((32,), min_length=1, description="Widths of the student's hidden layers.")
    user_width: int = Field(8, ge=1, description="What the user part is reduced to, once a query.")
    item_width: int = Field(4, ge=1, description="What the item embedding is reduced to.")
    soft_share: float = Field(0.7, ge=0, le=1, description="Weight of what the teacher says; the rest is the weight of what was bought.")
    temperature: float = Field(
        1.0, gt=0, description="What the logits are divided by in the soft losses; above 1 small chances count more."
    )
    listwise_weight: float = Field(0.1, ge=0, description="Weight of the listwise losses beside the cross-entropies.")
    held_out_share: float = Field(0.1, gt=0, lt=0.5, description="Share of the users kept for calibration.")
    queries_max: int = Field(12_000, ge=10, description="Users x windows, drawn at random if there are more; bounds memory and time.")

    @classmethod
    def of(cls, overrides: dict[str, Any]) -> Self | None:
        """The defaults with some values replaced, or None for `{}`: no distillation.

        Raises:
            InvalidInput: a name is unknown or a value is not allowed.
        """
        return overridden(cls, overrides, "distil") if overrides else None
