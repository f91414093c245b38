"""Own most-bought: what the person bought most often, ever."""

from pydantic import BaseModel, ConfigDict

from endcap.algorithms.method import TrainingData
from endcap.algorithms.own_scores import OwnScores


class OwnMostBought(BaseModel):
    """The person's own items by how often they were bought; says nothing of any other item."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def fit(self, data: TrainingData, seed: int) -> OwnScores:  # noqa: ARG002 - nothing is learned
        """Nothing is learned."""
        return OwnScores(None)
