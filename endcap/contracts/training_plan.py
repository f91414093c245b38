"""`plan.json`: what a dataset allows to train, worked out before anything is trained, and how it is cut for that."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from endcap.contracts.moment import UtcMoment
from endcap.contracts.signals import Signals

PLAN_NAME = "plan.json"

TWO_TOWER, RANKER = "two_tower", "ranker"
EligibleBy = Literal["purchases", "interactions"]
PERSONAL = (TWO_TOWER, RANKER)
"""Models that know a person."""


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Timetable(_Document):
    """How the data's time is cut. The defaults suit half a year and more; shorter data gets shorter ones."""

    test_weeks: int = Field(4, ge=0, description="Whole weeks at the end kept for evaluation.")
    test_days: int = Field(0, ge=0, description="Days kept beside those weeks, for data of a few days. With neither nothing is kept.")
    ranking_windows: int = Field(3, ge=0, description="Label windows the ranker learns from, at most.")
    ranking_window_step_days: int = Field(14, ge=1, description="Days between the starts of two such windows.")
    horizon_days: int = Field(28, ge=1, description="Length of a label window.")
    target_days: int = Field(14, ge=1, description="How far the two-tower's targets reach from a snapshot.")
    first_snapshot_days: int = Field(28, ge=1, description="Days of purchases before the first snapshot.")
    grid_days: Literal[1, 7] = Field(7, description="Days between snapshots: weeks from Monday, or days from midnight, UTC.")


class SignalFacts(_Document):
    """How much there is of one type of event, with consent, of items of the catalogue."""

    events: int = Field(ge=0)
    people: int = Field(ge=0, description="Who did it.")
    visits: int = Field(ge=0, description="Visits of nobody known in which it was done.")
    anonymous: int = Field(ge=0, description="Events of these visits.")


class DataFacts(_Document):
    """What the dataset holds, as far as it decides what can be trained. Purchases are those that may be used for personalisation."""

    purchases: int = Field(ge=0, description="Lines of receipts or orders.")
    purchases_without_person: int = Field(ge=0)
    people: int = Field(ge=0, description="Who bought.")
    visits: int = Field(ge=0, description="Baskets or orders.")
    items: int = Field(ge=0, description="Items of the catalogue.")
    items_bought: int = Field(ge=0)
    first_purchase_at: UtcMoment = Field(description="First purchase, cart, view or rating.")
    last_event_at: UtcMoment
    cut: UtcMoment = Field(description="What happens from here on is kept for evaluation.")
    people_before_cut: int = Field(ge=0)
    people_after_cut: int = Field(ge=0)
    people_judged: int = Field(ge=0, description="Who bought before the cut, and a trainable item within the horizon after it.")
    visits_before_cut: int = Field(ge=0)
    visits_after_cut: int = Field(ge=0)
    trainable_items: int = Field(ge=0, description="Items with enough buyers.")
    snapshots: int = Field(ge=0, description="Moments the two-tower's examples are of.")
    examples: int = Field(ge=0, description="People at snapshots who bought a trainable item within the target days.")
    ranking_windows: int = Field(ge=0)
    people_in_windows: int = Field(ge=0, description="Who had bought before the newest ranking window.")
    repeat_share: float = Field(ge=0, le=1, description="Share of purchases of an item that the person had bought before.")
    views_a_purchase: float = Field(ge=0)
    events_without_person_share: float = Field(ge=0, le=1)
    signals: dict[str, SignalFacts] = Field(
        default_factory=dict, description="By event type; empty where purchases are all there is that teaches."
    )


class Part(_Document):
    """Whether a part of a bundle is trained."""

    trained: bool
    reason: str = Field(description="Why not, as a sentence with figures; why so, where there is something to say.")


class TrainingPlan(_Document):
    """What a run trains on a dataset, what it leaves out and why."""

    dataset_fingerprint: str
    facts: DataFacts
    times: Timetable
    knows_times: bool = Field(True, description="Whether times say more than an order; where they do not, a person's step is a day.")
    min_buyers: int = Field(ge=1, description="Items with fewer are neither candidates nor truth: buyers, or what `eligible_by` says.")
    eligible_by: EligibleBy = Field(
        "purchases", description="Who makes an item a candidate: its buyers, or all people and visits that did anything with it."
    )
    signals: Signals = Field(Signals(), description="How much each type of event teaches, as far as the data allows.")
    objectives: list[str] = Field(default_factory=list, description="Event types of which the two-tower learns the next one.")
    notes: list[str] = Field(default_factory=list, description="Where a signal is not used as asked for, as sentences with figures.")
    objective: Literal["window", "next_item"] | None = Field(description="What the two-tower learns; None where it is not trained.")
    ranks: Literal["purchases", "visits"] = Field(
        "purchases", description="What the ranker learns from: what people bought next, or what came next in visits."
    )
    batch_size: int = Field(ge=1, description="Examples a step of the two-tower with the objective window.")
    parts: dict[str, Part] = Field(description="By name: two_tower, ranker, item_to_item, complements, popularity.")

    def trains(self, part: str) -> bool:
        """Whether a part is trained."""
        return self.parts[part].trained

    @property
    def is_personal(self) -> bool:
        """Whether anything is trained that knows a person."""
        return any(self.trains(part) for part in PERSONAL)

    def left_out(self) -> dict[str, str]:
        """Reasons by part that is not trained."""
        return {name: part.reason for name, part in self.parts.items() if not part.trained}
