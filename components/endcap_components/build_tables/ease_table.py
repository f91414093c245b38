"""EASE's own table: a source and a ranker feature beside item-to-item, where the data calls for it."""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from endcap.algorithms.ease import Ease
from endcap.algorithms.interactions import Interactions
from endcap.core.overrides import overridden
from endcap.engine.retrieval.item_to_item import ItemToItem
from endcap.training.training_set import TrainingSet
from endcap_components.train_two_tower.hyperparameters import TwoTowerHyperparameters
from endcap_components.train_two_tower.step import fitting

CELLS_MAX = 50_000_000
"""Weights of a table: 300 MB, as large as item-to-item is at a million items."""


class EaseTable(BaseModel):
    """Whether there is a table, and how it is made. Unknown names are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    use: Literal["auto", "always", "never"] = Field(
        "auto", description="`auto`: where order matters and little is bought twice, which is where the two-tower learns the next item."
    )
    neighbours: int = Field(
        200, ge=1, description="Weights kept for each item, the highest; the sums are over these. With more than 250,000 items fewer."
    )
    regularisation: float | None = Field(None, gt=0, description="As of the algorithm `ease`; by the data where it is not given.")
    side_max: int = Field(20_000, ge=1, description="As of the algorithm `ease`; items that it does not learn have no neighbours here.")

    @classmethod
    def of(cls, overrides: Mapping[str, Any]) -> Self:
        """The defaults with some values replaced.

        Raises:
            InvalidInput: a name is unknown or a value is not allowed.
        """
        return overridden(cls, overrides, "ease")

    def is_wanted(self, training: TrainingSet) -> bool:
        """Whether a training set gets one: by its plan, or by the data's profile where there is no plan."""
        if self.use != "auto":
            return self.use == "always"
        plan = training.manifest.plan
        objective = plan.objective if plan is not None else fitting(training, TwoTowerHyperparameters())[0]
        return objective == "next_item"

    def made_from(self, interactions: Interactions) -> ItemToItem:
        """The highest weights of each item that is learned; the others have none, since cosines do not add up with weights."""
        learned = Ease(regularisation=self.regularisation, side_max=self.side_max).solved(interactions)
        return learned.neighbours(min(self.neighbours, max(CELLS_MAX // (interactions.item_count + 1), 1)))
