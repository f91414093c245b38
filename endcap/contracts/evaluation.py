"""`evaluation.json`: how good every model was on the last weeks, with intervals."""

from pydantic import BaseModel, ConfigDict, Field

from endcap.contracts.moment import UtcMoment

ALL = "all"
NEW = "new"
TRUTHS = {ALL: "everything bought after the cut", NEW: "items the user had never bought before"}

FULL = "full"
"""The whole pipeline: all candidate sources, then the ranker."""

MAIN_K = 10
DEEP_K = 100
"""Depth at which retrieval is judged: what the ranker never sees it cannot rank."""


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Figure(_Document):
    """A mean over users with its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float


class SegmentFigures(_Document):
    users: int = Field(ge=0)
    models: dict[str, dict[str, Figure]] = Field(description="By model and metric, for example full, ndcg@10.")


class TruthFigures(SegmentFigures):
    """Figures over all users who have something in this truth."""

    items_per_user: float = Field(description="Mean size of the truth.")
    differences: dict[str, dict[str, Figure]] = Field(description="By model and metric: model minus baseline, paired by user.")
    segments: dict[str, SegmentFigures]


class ReliabilityBin(_Document):
    predicted: float
    observed: float
    count: int = Field(ge=1)


class Reliability(_Document):
    """How a ranker's probabilities compare with what happened."""

    error: float = Field(description="Expected calibration error.")
    bins: list[ReliabilityBin]


class Evaluation(_Document):
    """Everything the gate, the report and the champion's record need."""

    dataset_fingerprint: str
    data_start: UtcMoment
    data_end: UtcMoment
    cut: UtcMoment = Field(description="The truth is what was bought from here on.")
    horizon_days: int
    min_buyers: int = Field(description="Items fewer users had bought before the cut are neither recommended nor truth.")
    eligible_items: int
    candidates_max: int
    baselines: dict[str, str] = Field(description="By truth: the model that `differences` subtract.")
    truths: dict[str, TruthFigures] = Field(description=f"By truth: {TRUTHS}.")
    reliability: dict[str, Reliability] = Field(description="By objective of the ranker.")

    def metric(self, model: str, metric: str, truth: str = ALL) -> float:
        """A mean, or NaN when the model has no such figure."""
        figures = self.truths.get(truth)
        found = figures.models.get(model, {}).get(metric) if figures else None
        return found.mean if found else float("nan")

    def flat(self) -> dict[str, float]:
        """Means by name: model/metric@k, and model/new/metric@k for items new to the user."""
        return {
            "/".join([model, *([] if truth == ALL else [truth]), metric]): figure.mean
            for truth, figures in self.truths.items()
            for model, metrics in figures.models.items()
            for metric, figure in metrics.items()
        }

    def is_comparable_with(self, other: "Evaluation") -> bool:
        """Whether the figures speak of the same users, items and weeks."""
        return (self.dataset_fingerprint, self.cut, self.horizon_days, self.min_buyers) == (
            other.dataset_fingerprint,
            other.cut,
            other.horizon_days,
            other.min_buyers,
        )
