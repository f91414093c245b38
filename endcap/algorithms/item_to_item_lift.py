"""Item-to-item by lift: what the buyers of the user's items bought more often than chance would have it (Brin et al., SIGMOD 1997)."""

from pydantic import BaseModel, ConfigDict, Field

from endcap.algorithms.co_occurrence import neighbour_table
from endcap.algorithms.co_purchase_similarity import log_lift
from endcap.algorithms.method import TrainingData
from endcap.algorithms.neighbour_scores import NeighbourScores


class ItemToItemLift(BaseModel):
    """Neighbours by the logarithm of their lift with shrinkage, summed over the history; prefers the special to the popular."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shrinkage: float = Field(default=10.0, ge=0, description="People who have to share a pair for half of its lift to count.")
    neighbours: int = Field(default=200, ge=1, description="Kept for each item.")

    def fit(self, data: TrainingData, seed: int) -> NeighbourScores:  # noqa: ARG002 - nothing is random
        """Count; `seed` changes nothing."""
        return NeighbourScores(neighbour_table(data.interactions, log_lift(data.interactions.users, self.shrinkage), self.neighbours))
