"""What a benchmark found, as one JSON document: everything that tables and pages are made from."""

import json
import math
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from endcap.contracts.evaluation import Figure, Reliability, SegmentFigures

SIGNIFICANT_DIGITS = 5


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DataKind(_Document):
    """What kind of data it is."""

    source: str
    fingerprint: str
    users: int
    items: int = Field(description="Items that anybody bought.")
    catalogue_items: int
    purchases: int = Field(description="An item in a basket counts once.")
    purchases_per_user: float = Field(description="Median.")
    density: float = Field(description="Share of the pairs of a user and an item that were ever bought.")
    repeat_share: float = Field(description="Share of the purchases whose item the user had bought before.")
    knows_times: bool
    of_visits: bool = Field(False, description="Whether users are visits here, and purchases events of every kind.")
    says: str = Field(description="What that means for recommendations, in a sentence.")


class Difference(Figure):
    """Model less baseline, paired by user."""

    p_value: float = Field(description="Paired t-test, adjusted by Holm for all models compared on this truth and metric.")


class TruthResult(_Document):
    users: int
    items_per_user: float
    baseline: str = Field(description="The best of the baselines by NDCG on this very truth; differences subtract it.")
    models: dict[str, dict[str, Figure]] = Field(description="By model and metric; of a random model the mean over seeds.")
    seed_spread: dict[str, dict[str, float]] = Field(description="By random model and metric: standard deviation of the seeds' means.")
    differences: dict[str, dict[str, Difference]]
    against: dict[str, dict[str, Difference]] = Field(
        description="NDCG of every model that is no baseline less that of every baseline, by model and baseline."
    )
    segments: dict[str, SegmentFigures]
    known_share: float | None = Field(None, description="Share of the truth's items that models could learn of: the ceiling of recall.")


class TaskResult(_Document):
    name: str
    users: int
    items: int = Field(description="Items that may be recommended.")
    truths: dict[str, TruthResult]


class ModelResult(_Document):
    """One model over all tasks and seeds."""

    settings: dict[str, Any]
    is_baseline: bool
    seeds: list[int]
    fit_s: float | None = Field(description="Seconds of learning, mean over runs; None where it failed.")
    score_ms_per_user: float | None
    peak_memory_mib: float | None = Field(description="Of the whole process, the highest of all runs.")
    reliability: Reliability | None = None
    notes: dict[str, Any] = {}
    failure: str | None = None


class QualityReport(_Document):
    """The whole."""

    endcap_version: str
    command: str
    protocol: str
    k: int
    weeks: int | None = Field(description="Length of the truth; temporal only.")
    days: int | None = Field(None, description="Length of the judged time; session only.")
    min_buyers: int | None = Field(description="Items with fewer buyers before the cut are left out; temporal only.")
    data: DataKind
    cores: int
    threads: str = Field(description="What limited the threads of numerical libraries.")
    models: dict[str, ModelResult]
    tasks: list[TaskResult]
    pooled: TaskResult | None = Field(description="All tasks together, each user's mean over tasks; None where there is one task.")

    @property
    def main(self) -> TaskResult:
        """What a reader should look at first."""
        return self.pooled or self.tasks[-1]

    @property
    def failures(self) -> dict[str, str]:
        return {name: model.failure for name, model in self.models.items() if model.failure}

    def as_json(self) -> str:
        """With figures rounded to what they can mean."""
        return json.dumps(_rounded(self.model_dump(mode="json")), indent=1) + "\n"


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{SIGNIFICANT_DIGITS}g}") if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _rounded(each) for name, each in value.items()}
    return [_rounded(each) for each in value] if isinstance(value, list) else value
