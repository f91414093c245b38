"""Every knob of the ranker, with the default that measured best."""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from endcap.core.overrides import overridden


class RankerHyperparameters(BaseModel):
    """Hyperparameters of the ranker. Unknown names are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["auto", "network", "blend"] = Field(
        "auto",
        description="What orders; auto is the network, or the better of both on users held out where next purchases alone are learned.",
    )
    epochs: int = Field(2, ge=1)
    steps_min: int = Field(600, ge=1, description="More epochs are run until there are so many steps: little data needs more passes.")
    queries_a_batch: int = Field(12, ge=1, description="Users a step, each with all candidates.")
    learning_rate: float = Field(1e-3, gt=0, description="Peak; rises linearly over the first twentieth, then falls to 0 as a cosine.")
    cross_layers: int = Field(2, ge=0)
    hidden: tuple[int, ...] = Field((96, 48), description="Widths of the dense layers after the crosses.")
    user_width: int = Field(24, ge=1, description="What the user part is reduced to, once a query.")
    item_width: int = Field(16, ge=1, description="What the item embedding is reduced to.")
    dropout: float = Field(0.0, ge=0, lt=1)
    weight_decay: float = Field(1e-3, ge=0)
    listwise_weight: float = Field(0.02, ge=0, description="Weight of the listwise loss beside the cross-entropies.")
    listwise_new_weight: float = Field(0.02, ge=0, description="Weight of the same among items new to the user, which are listed apart.")
    bought_share: float = Field(0.35, gt=0, le=1, description="Share kept of the candidates that were bought before and not again.")
    new_share: float = Field(0.18, gt=0, le=1, description="Share kept of the candidates that the user never bought.")
    members: int = Field(3, ge=1, description="Networks with other seeds whose logits are averaged, in one SavedModel.")
    held_out_share: float = Field(0.1, gt=0, lt=0.5, description="Share of the users kept for calibration.")
    queries_max: int = Field(12_000, ge=10, description="Users x windows, drawn at random if there are more; bounds memory and time.")

    @classmethod
    def of(cls, overrides: dict[str, Any]) -> Self:
        """The defaults with some values replaced.

        Raises:
            InvalidInput: a name is unknown or a value is not allowed.
        """
        return overridden(cls, overrides, "hyperparameters")
