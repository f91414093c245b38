"""Every knob of the two-tower, with the default that measured best."""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from endcap.core.overrides import overridden
from endcap.training.data_profile import DataProfile, Objective
from endcap_components.train_two_tower.next_item.sequence_hyperparameters import SequenceHyperparameters


class TwoTowerHyperparameters(BaseModel):
    """Hyperparameters of the two-tower. Unknown names are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    objective: Literal["auto", "window", "next_item"] = Field(
        "auto", description="What is learned: purchases in the days after a snapshot, or the next item; auto asks the data's repeat rate."
    )
    next_item: SequenceHyperparameters = Field(
        SequenceHyperparameters(), description="Of the objective next_item; all others here are of the window."
    )
    dim: int = Field(64, ge=4, le=1024, description="Length of the embeddings; decides what a search costs.")
    epochs: int = Field(1, ge=1)
    batch_size: int = Field(512, ge=1, description="Examples a step, all of one snapshot.")
    learning_rate: float = Field(2e-3, gt=0, description="Peak; rises linearly over the first tenth, then falls to 0 as a cosine.")
    temperature: float = Field(0.07, gt=0, description="Start value; learned from there.")
    id_dropout: float = Field(0.2, ge=0, lt=1, description="Share of items whose id embedding is left out of a step.")
    dropout: float = Field(0.1, ge=0, lt=1, description="In the query tower.")
    pooling_heads: int = Field(4, ge=1, description="Heads of the attention pooling over the history.")
    attention_layers: int = Field(0, ge=0, description="Self-attention blocks before the pooling.")
    attention_heads: int = Field(2, ge=1, description="Heads of each self-attention block.")
    repeat_weight: float = Field(0.2, ge=0, le=1, description="Weight of targets bought before; buy-again brings those anyway.")
    session_share: float = Field(0.25, ge=0, le=1, description="Share of examples that show some targets as the present visit.")
    anonymous_share: float = Field(0.1, ge=0, le=1, description="Share of those whose past and features are hidden, as for a visitor.")
    full_softmax_items_max: int = Field(60_000, ge=1, description="Above so many trained items the softmax is sampled.")
    negatives: int = Field(8192, ge=1, description="Items a step draws for the sampled softmax.")
    title_buckets: int = Field(4096, ge=1, description="Hash buckets of title words.")
    price_buckets: int = Field(20, ge=1)
    snapshot_share: float = Field(1.0, gt=0, le=1, description="Share of the snapshots to learn from, the newest; the others only warm up.")
    examples_max: int = Field(400_000, ge=1, description="The newest examples, if there are more.")

    @classmethod
    def of(cls, overrides: dict[str, Any]) -> Self:
        """The defaults with some values replaced.

        Raises:
            InvalidInput: a name is unknown or a value is not allowed.
        """
        return overridden(cls, overrides, "hyperparameters")

    def objective_for(self, profile: DataProfile) -> Objective:
        """The objective, asked of the data where it is left to it."""
        return profile.objective if self.objective == "auto" else self.objective
