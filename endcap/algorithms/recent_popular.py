"""Recent popular: what is bought most of late."""

from pydantic import BaseModel, ConfigDict, Field

from endcap.algorithms.method import TrainingData
from endcap.algorithms.popularity_scores import PopularityScores

RECENT_DAYS = 28.0


class RecentPopular(BaseModel):
    """Items by their purchases of the last days, the same for everybody."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    days: float = Field(default=RECENT_DAYS, gt=0, description="Purchases of so many days count; steps where times are unknown.")

    def fit(self, data: TrainingData, seed: int) -> PopularityScores:  # noqa: ARG002 - nothing is random
        """Count; `seed` changes nothing."""
        recent = data.interactions.age_days <= self.days
        return PopularityScores.of(data.interactions.item_index[recent], data.interactions.item_count)
