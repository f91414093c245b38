"""Item-to-item by cosine, where the user's newest purchases count most."""

from pydantic import BaseModel, ConfigDict, Field

from endcap.algorithms.co_occurrence import neighbour_table
from endcap.algorithms.co_purchase_similarity import cosine
from endcap.algorithms.history_weights import default_decay_days
from endcap.algorithms.method import TrainingData
from endcap.algorithms.neighbour_scores import NeighbourScores


class ItemToItemRecent(BaseModel):
    """Neighbours by cosine with shrinkage, summed over the history with weights that fall with age."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shrinkage: float = Field(default=10.0, ge=0, description="Added to the cosine's denominator: damps pairs that few people share.")
    neighbours: int = Field(default=200, ge=1, description="Kept for each item.")
    decay_days: float | None = Field(
        default=None, gt=0, description="Age after which a purchase counts 1/e; steps where times are unknown."
    )

    def fit(self, data: TrainingData, seed: int) -> NeighbourScores:  # noqa: ARG002 - nothing is random
        """Count; `seed` changes nothing."""
        table = neighbour_table(data.interactions, cosine(self.shrinkage), self.neighbours)
        return NeighbourScores(table, self.decay_days or default_decay_days(data.interactions))
