"""Popular: what is bought most, ever."""

from pydantic import BaseModel, ConfigDict

from endcap.algorithms.method import TrainingData
from endcap.algorithms.popularity_scores import PopularityScores


class Popular(BaseModel):
    """Items by all their purchases, the same for everybody."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def fit(self, data: TrainingData, seed: int) -> PopularityScores:  # noqa: ARG002 - nothing is random
        """Count; `seed` changes nothing."""
        return PopularityScores.of(data.interactions.item_index, data.interactions.item_count)
