"""Outcome: one place of one recommended list and one objective, with what followed."""

from enum import StrEnum
from typing import Literal

import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from endcap.contracts.event import ExperimentArm
from endcap.contracts.moment import UtcMoment


class Objective(StrEnum):
    """What a list is shown for."""

    CLICK = "click"
    """The item was opened, or more."""
    CART = "cart"
    """It was put into the cart."""
    PURCHASE = "purchase"
    """It was bought, and something of it was kept."""


class AttributionRule(StrEnum):
    """Why an event counts for an impression."""

    REQUEST = "request"
    """The event names the request."""
    LAST_TOUCH = "last_touch"
    """The event names no request that showed the item; this was the newest impression of it that the person had."""


class Outcome(BaseModel):
    """One impression's place and one objective. `value` and the like are those of one currency."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    impression_id: str = Field(description="`event_id` of the served impression.")
    request_id: str = Field(description="The list.")
    item_id: str = Field(description="What was shown.")
    position: int = Field(ge=1, description="Place in the list, from 1.")
    surface: str | None = Field(None, description="Where the list was shown.")
    source: str | None = Field(None, description="The candidate source that the list names for the item.")
    propensity: float | None = Field(None, gt=0, le=1, description="Probability with which the item was put at this place.")
    placement: Literal["ranked", "explored", "swapped"] = Field(
        description="How it came to its place: by the ranking, to learn about it, or in exchange of the first two places."
    )
    bundle: str | None = Field(None, description="The model bundle that answered.")
    variant: str | None = Field(None, description="The variant of the deployment that answered.")
    served_by: str | None = Field(None, description="The InferenceService that made the list.")
    team: str | None = Field(None, description="Of interleaved lists, the ranking that put the item there.")
    experiments: list[ExperimentArm] | None = Field(None, description="The experiments that the person was in.")
    consent: bool = Field(description="Whether the impression may be used for personalisation.")
    shown_at: UtcMoment = Field(description="When the list was served, UTC.")
    seen_at: UtcMoment | None = Field(None, description="When the item came into view, UTC; empty where the page did not say so.")
    objective: Objective = Field(description="What is looked for.")
    followed: bool = Field(description="Whether it followed within the objective's window.")
    followed_at: UtcMoment | None = Field(None, description="When it followed first, UTC.")
    rule: AttributionRule | None = Field(None, description="Why it counts for this impression; `request` where both do.")
    events: int = Field(ge=0, description="Events that count for this impression; each counts for one impression.")
    value: float | None = Field(None, description="Revenue of what was bought and kept, in `currency`; for purchases with a price.")
    currency: str | None = Field(None, description="ISO 4217 code; empty where there is no value, or several currencies.")
    weighted_events: float = Field(ge=0, description="Events by the position-weighted rule: each is shared by all its impressions.")
    weighted_value: float | None = Field(None, description="Revenue by the same shares.")


def outcome_schema() -> pl.Schema:
    """Columns of an outcome table."""
    from endcap.contracts.tables import arrow_schema

    return pl.DataFrame(arrow_schema(Outcome).empty_table()).schema
