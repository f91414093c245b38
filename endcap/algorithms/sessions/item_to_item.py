"""Item-to-item by session: what visits of the newest item hold besides (the baseline of Hidasi et al., ICLR 2016)."""

from pydantic import BaseModel, ConfigDict, Field

from endcap.algorithms.algorithm import TrainingData
from endcap.algorithms.co_occurrence import cosine, neighbour_table
from endcap.algorithms.sessions.last_item import LastItemScores


class SessionItemToItem(BaseModel):
    """Neighbours of the newest item by cosine of the visits they stand in, with shrinkage."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shrinkage: float = Field(default=20.0, ge=0, description="Added to the cosine's denominator: damps pairs that few visits share.")
    neighbours: int = Field(default=200, ge=1, description="Kept for each item.")

    def fit(self, data: TrainingData, seed: int) -> LastItemScores:  # noqa: ARG002 - nothing is random
        """Count; `seed` changes nothing."""
        return LastItemScores(neighbour_table(data.interactions, cosine(self.shrinkage), self.neighbours))
