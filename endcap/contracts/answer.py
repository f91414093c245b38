"""The predict answer: one list, what it came from and what it cost."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Recommendation(BaseModel):
    """One item in its place."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    item_id: str
    score: float = Field(description="Final score; higher is better, comparable within one answer.")
    source: str = Field(
        description="The source that ranked it highest (two_tower, item_to_item, popular), or buy_again for what the user bought before, "
        "or left_in_cart for what is in the cart."
    )
    reason: str = Field(description="A sentence a customer may read.")
    position: int = Field(ge=1, description="Place in the list, from 1.")
    title: str = Field(description="The item's name.")
    propensity: float = Field(
        1.0, gt=0, le=1, description="Probability with which this item was put at this place; below 1 where the list explores."
    )
    explanation: dict[str, Any] | None = Field(
        None,
        description="Sources, objectives, scores, rules, diversity and exploration behind the place, what the models learned from and what "
        "the list is ordered by; only when asked for.",
    )


class Answer(BaseModel):
    """What one instance gets back."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    recommendations: list[Recommendation]
    request_id: str = Field(description="To be sent back with the events that follow from this list.")
    bundle: str = Field(description="The model bundle that answered.")
    ordered_by: str = Field(
        "ranker",
        description="What the bundle orders lists by: `ranker`, or the simple method that orders in its place, such as `own_decayed`.",
    )
    variant: str = Field(description="The experiment variant the person is in.")
    degraded: list[str] = Field(description="Stages that fell back; empty when all answered in time.")
    ignored: list[str] = Field(
        description="Item ids of the request that the catalogue does not know; by name, filters that cannot apply and are left out: "
        "`filters.price_max` where no item has a price, `filters.new_to_user` without consent; by name and value, categories and brands "
        "of filters that the catalogue does not know: `filters.brands: Acme`; by name, objectives of the surface's value "
        "that the bundle was not trained for: `value.view`."
    )
    timings_ms: dict[str, float] = Field(description="Time by stage, in milliseconds, and of the whole as `total`.")
    personalised: bool = Field(
        True,
        description="Whether features of the user or the session may be in the list: false without consent to personalisation, and for a "
        "request that names neither.",
    )
