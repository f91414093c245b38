"""Every knob of the next-item objective, with the default that measured best; None asks the data's profile."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from endcap.training.data_profile import DataProfile

EPOCHS = 10


class SequenceHyperparameters(BaseModel):
    """Hyperparameters of a two-tower that learns the next item. Unknown names are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    history_encoder: Literal["auto", "mean", "gru", "self_attention", "decayed_attention"] = Field(
        "auto", description="How a history becomes a query; auto asks the data's profile."
    )
    dim: int | None = Field(None, ge=8, le=1024, description="Length of the embeddings; None asks the data's profile.")
    layers: int = Field(2, ge=1, description="Of attention.")
    heads: int = Field(4, ge=1, description="Of attention; divides dim.")
    decays: int = Field(8, ge=1, description="Learned decays of the moving average; divides dim.")
    dropout: float | None = Field(None, ge=0, lt=1, description="In the query tower; None asks the data's profile.")
    attention_dropout: float = Field(0.3, ge=0, lt=1)
    attributes: bool = Field(True, description="Whether the item tower sums attributes beside the id.")
    members: int = Field(3, ge=1, description="Towers of different seeds, joined into one by setting their embeddings side by side.")
    label_smoothing: float = Field(0.1, ge=0, lt=1, description="Share of each target that all items have a part in.")
    temperature: float = Field(0.07, gt=0, description="Start value; learned from there.")
    positions: int = Field(768, ge=1, description="Targets a step, about.")
    epochs: int | None = Field(
        None,
        ge=1,
        description="At most; the learning rate falls over all of them. None takes 10, and 20 where nothing describes the items.",
    )
    patience: int = Field(3, ge=1, description="Epochs without a better NDCG on held out users before training ends.")
    held_out_users_max: int = Field(3000, ge=0, description="Users whose last item decides when to stop; at most a tenth of all.")
    learning_rate: float = Field(2e-3, gt=0, description="Peak; rises linearly over the first steps, then falls as a cosine.")
    weight_average: float = Field(0.997, ge=0, lt=1, description="What a step keeps of the running average of weights that is served.")
    full_softmax_items_max: int = Field(60_000, ge=1, description="Above so many items a step sees its own and a sample of the others.")
    negatives: int = Field(8192, ge=1, description="Items a step draws beside its own.")
    softmax_precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="Of the products with all items; auto takes bfloat16 where the processor multiplies it natively."
    )

    @model_validator(mode="after")
    def _parts_divide_the_whole(self) -> Self:
        parts = {"self_attention": ("heads", self.heads), "decayed_attention": ("decays", self.decays)}
        name, count = parts.get(self.history_encoder, ("", 1))
        if self.dim is not None and self.dim % count:
            raise ValueError(f"dim {self.dim} is not divided by {name} {count}")
        return self

    def resolved(self, profile: DataProfile, *, described: bool) -> "ResolvedHyperparameters":
        """The same with what the data decides filled in.

        Args:
            profile: of the histories.
            described: whether items have attributes, with which towers learn in half the epochs.
        """
        return ResolvedHyperparameters.model_validate(
            self.model_dump()
            | {
                "history_encoder": profile.history_encoder if self.history_encoder == "auto" else self.history_encoder,
                "epochs": self.epochs or (EPOCHS if described and self.attributes else 2 * EPOCHS),
                "dim": self.dim or profile.width,
                "dropout": profile.dropout if self.dropout is None else self.dropout,
            }
        )


class ResolvedHyperparameters(SequenceHyperparameters):
    """With what the data decides filled in."""

    history_encoder: Literal["mean", "gru", "self_attention", "decayed_attention"]
    dim: int = Field(ge=8, le=1024)
    dropout: float = Field(ge=0, lt=1)
    epochs: int = Field(ge=1)
