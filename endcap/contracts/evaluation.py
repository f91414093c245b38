"""`evaluation.json`: how good every model was on the last weeks, with intervals."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field

from endcap.contracts.learned_from import learned_from
from endcap.contracts.moment import UtcMoment
from endcap.contracts.training_plan import EligibleBy

EVALUATION_NAME = "evaluation.json"
PER_USER_NAME = "per_user.parquet"
"""Beside it: columns user_id, model, truth, and a column a metric."""

PER_VISIT_NAME = "per_visit.parquet"
"""Beside it where a ranker of visits was trained: columns visit_id, model, and a column a metric, each a mean over the visit's moments."""

VISIT_METRIC = "ndcg@10"
"""By which bundles are compared whose rankers learned from visits."""

ALL = "all"
NEW = "new"
TRUTHS = {ALL: "everything bought after the cut", NEW: "items the user had never bought before"}

FULL = "full"
"""The whole pipeline: all candidate sources, then the ranker."""
ORDERED = "ordered"
"""The same candidates in the order of the simple method that stands in for the ranker."""
AS_SHOWN = "as_shown"
"""The list as surface home shows it: what is available, value, caps and diversity."""
RANKER = "ranker"

MAIN_K = 10
DEEP_K = 100
"""Depth at which retrieval is judged: what the ranker never sees it cannot rank. Both are of large catalogues: small ones have
`endcap.evaluation.cutoffs`."""


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


class VisitFigures(_Document):
    """What came next at moments of the visits after the cut; means over visits."""

    visits: int = Field(ge=1)
    moments: int = Field(ge=1)
    could_be_found: float = Field(description="Share of the next items that may be recommended, or that the visit had before.")
    models: dict[str, dict[str, Figure]] = Field(description="By model and metric, for example full, ndcg@10.")


class ReliabilityBin(_Document):
    predicted: float
    observed: float
    count: int = Field(ge=1)


class Reliability(_Document):
    """How a ranker's probabilities compare with what happened."""

    error: float = Field(description="Expected calibration error.")
    bins: list[ReliabilityBin]


class Calibration(_Document):
    """probability = sigmoid(slope x log(1 + order) + offset)."""

    slope: float = Field(gt=0)
    offset: float


class Ordering(_Document):
    """What orders the served list, and what it was chosen from."""

    ordered_by: str = Field(RANKER, description="The ranker, or the simple method that orders in its place.")
    reason: str = Field(description="In a sentence, with figures.")
    methods: dict[str, Figure] = Field(
        default_factory=dict, description="By what could order the candidates, the ranker among them: NDCG at the main depth."
    )
    best_method: str | None = Field(None, description="The simple method with the highest figure.")
    lift: Figure | None = Field(None, description="The ranker's NDCG less that of the best method, paired by user.")
    calibration: dict[str, Calibration] = Field(default_factory=dict, description="By objective, where a method orders.")
    uses_two_tower: bool = Field(True, description="Whether the two-tower brings candidates to a person's lists.")
    retrieval_reason: str = Field("", description="Why, in a sentence, with figures.")


class Shown(_Document):
    """What becomes of the order in the list as it is shown."""

    surface: str
    loss: Figure = Field(description="NDCG at the main depth of the list as shown less that of the order it is made of, paired by user.")
    steps: dict[str, float] = Field(description="NDCG at the main depth after each step of making the list, one after the other.")
    value: dict[str, float] = Field(default_factory=dict, description="Exponents of the value product that the surface orders by.")
    ignored: list[str] = Field(default_factory=list, description="Objectives that the surface's value names and nothing was trained for.")
    warning: str = Field("", description="Which step costs how much, where the list is clearly below its order.")


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
    reliability: dict[str, Reliability] = Field(description="By objective, of what orders the list.")
    main_k: int = Field(MAIN_K, ge=1, description="Length at which lists are judged; shorter for small catalogues.")
    deep_k: int = Field(DEEP_K, ge=1, description="Depth at which retrieval is judged; shorter for small catalogues.")
    ordering: Ordering = Field(Ordering(reason="made before the order was chosen"), description="What orders the list.")
    shown: Shown | None = Field(None, description="The list as it is shown.")
    visits: VisitFigures | None = Field(None, description="What lists of visits are worth, where the ranker learned from visits.")
    signals: dict[str, float] = Field(default_factory=dict, description="Weights of the event types that taught; empty for purchases only.")
    next_of: list[str] = Field(default_factory=list, description="Event types of which the two-tower learned to find the next one.")
    objectives: list[str] = Field(default_factory=list, description="What the ranker was trained for: objectives that the data reaches.")
    eligible_by: EligibleBy = Field(
        "purchases", description="Who makes an item a candidate: its buyers, or all people and visits that did anything with it."
    )
    notes: list[str] = Field(default_factory=list, description="Where events are not used as asked for, as sentences with figures.")

    @property
    def learned_from(self) -> str:
        """What the lists come from, as a sentence without its subject, the models."""
        return learned_from(self.signals, self.next_of, self.objectives, self.eligible_by)

    @property
    def ranking_metric(self) -> str:
        return f"ndcg@{self.main_k}"

    @property
    def retrieval_metric(self) -> str:
        return f"recall@{self.deep_k}"

    @property
    def served_model(self) -> str:
        """The model whose order is served."""
        return FULL if self.ordering.ordered_by == RANKER else ORDERED

    def metric(self, model: str, metric: str, truth: str = ALL) -> float:
        """A mean, or NaN when the model has no such figure."""
        figures = self.truths.get(truth)
        found = figures.models.get(model, {}).get(metric) if figures else None
        return found.mean if found else float("nan")

    def flat(self) -> dict[str, float]:
        """Means by name: model/metric@k, model/new/metric@k for items new to the user, and model/visits/metric@k."""
        found: dict[str, Mapping[str, Mapping[str, Figure]]] = {name: figures.models for name, figures in self.truths.items()}
        if self.visits is not None:
            found["visits"] = self.visits.models
        return {
            "/".join([model, *([] if truth == ALL else [truth]), metric]): figure.mean
            for truth, models in found.items()
            for model, metrics in models.items()
            for metric, figure in metrics.items()
        }
