"""Item-to-item by cosine: what the people who bought the user's items bought too (Sarwar et al., WWW 2001)."""

from pydantic import BaseModel, ConfigDict, Field

from endcap.algorithms.co_occurrence import neighbour_table
from endcap.algorithms.co_purchase_similarity import cosine
from endcap.algorithms.method import TrainingData
from endcap.algorithms.neighbour_scores import NeighbourScores


class ItemToItemCosine(BaseModel):
    """Neighbours by cosine of their buyers with shrinkage, summed over the history, all purchases alike."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shrinkage: float = Field(default=10.0, ge=0, description="Added to the cosine's denominator: damps pairs that few people share.")
    neighbours: int = Field(default=200, ge=1, description="Kept for each item.")

    def fit(self, data: TrainingData, seed: int) -> NeighbourScores:  # noqa: ARG002 - nothing is random
        """Count; `seed` changes nothing."""
        return NeighbourScores(neighbour_table(data.interactions, cosine(self.shrinkage), self.neighbours))
