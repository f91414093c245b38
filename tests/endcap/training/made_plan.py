"""A training plan that nobody worked out."""

from collections.abc import Mapping
from datetime import UTC, datetime

from endcap.contracts.training_plan import DataFacts, Part, Timetable, TrainingPlan

PARTS = ("two_tower", "ranker", "item_to_item", "complements", "popularity")


def made_plan(untrained: Mapping[str, str] | None = None, times: Timetable | None = None, min_buyers: int = 3) -> TrainingPlan:
    """Everything is trained but what is told with its reason."""
    left_out = untrained or {}
    moments = dict.fromkeys(("first_purchase_at", "last_event_at", "cut"), datetime(2026, 1, 5, tzinfo=UTC))
    counts = {name: 0 for name in DataFacts.model_fields if name not in moments and name != "signals"}
    return TrainingPlan(
        dataset_fingerprint="made",
        facts=DataFacts(**moments, **counts),
        times=times or Timetable(),
        min_buyers=min_buyers,
        objective=None if "two_tower" in left_out else "window",
        batch_size=512,
        parts={name: Part(trained=name not in left_out, reason=left_out.get(name, "")) for name in PARTS},
    )
