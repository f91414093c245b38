"""Own decayed: what the person bought often and lately; the strongest simple rule where people buy the same things again."""

from pydantic import BaseModel, ConfigDict, Field

from endcap.algorithms.history_weights import default_decay_days
from endcap.algorithms.method import TrainingData
from endcap.algorithms.own_scores import OwnScores


class OwnDecayed(BaseModel):
    """The person's own items, each purchase counting exp(-age / decay); says nothing of any other item."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    decay_days: float | None = Field(
        default=None, gt=0, description="Age after which a purchase counts 1/e; steps where times are unknown."
    )

    def fit(self, data: TrainingData, seed: int) -> OwnScores:  # noqa: ARG002 - nothing is random
        """Nothing is learned but the decay, where none is given."""
        return OwnScores(self.decay_days or default_decay_days(data.interactions))
