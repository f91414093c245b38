"""Event v1: one thing a customer did or saw, as the collector takes it and the dataset stores it."""

from enum import StrEnum
from typing import Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from endcap.contracts.moment import UtcMoment


class EventType(StrEnum):
    PAGE_VIEW = "page_view"
    PRODUCT_VIEW = "product_view"
    ADD_TO_CART = "add_to_cart"
    REMOVE_FROM_CART = "remove_from_cart"
    PURCHASE = "purchase"
    RETURN = "return"
    CANCELLATION = "cancellation"
    RATING = "rating"
    SEARCH = "search"
    SEARCH_RESULT = "search_result"
    FILTER = "filter"
    IMPRESSION = "impression"
    DWELL = "dwell"


NEEDS_ITEM = frozenset(
    {
        EventType.PRODUCT_VIEW,
        EventType.ADD_TO_CART,
        EventType.REMOVE_FROM_CART,
        EventType.PURCHASE,
        EventType.RATING,
        EventType.SEARCH_RESULT,
        EventType.IMPRESSION,
    }
)
"""Event types that are about one item and refused without it."""

TAKES_OFF = frozenset({EventType.RETURN, EventType.CANCELLATION})
"""Event types that take an earlier purchase back, in whole or in part: by item, by order, or by both."""

NEEDS_QUERY = frozenset({EventType.SEARCH, EventType.SEARCH_RESULT})


class Event(BaseModel):
    """One event, schema version 1. Unknown fields, unknown types and times that are not UTC are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    event_id: UUID = Field(description="Idempotency key: an event sent twice counts once.")
    event_type: EventType = Field(description="What happened.")
    schema_version: Literal[1] = Field(1, description="Version of this contract.")
    occurred_at: UtcMoment = Field(description="When it happened, UTC.")
    received_at: UtcMoment = Field(description="When endcap took it in, UTC.")
    user_id: str | None = Field(None, min_length=1, max_length=128, description="The customer; empty while anonymous.")
    session_id: str = Field(min_length=1, max_length=128, description="The visit, or the basket for a till receipt.")
    order_id: str | None = Field(
        None,
        min_length=1,
        max_length=128,
        description="The order or receipt of a purchase, `session_id` where it is empty; of a return or cancellation the one taken from.",
    )
    item_id: str | None = Field(None, min_length=1, max_length=128, description="The item it is about.")
    quantity: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="Units, or weight for goods sold by weight; empty in a return or cancellation of all of it.",
    )
    unit_price: float | None = Field(None, ge=0, allow_inf_nan=False, description="Price paid per unit, in `currency`; empty when unknown.")
    unit_discount: float | None = Field(
        None, ge=0, allow_inf_nan=False, description="What was taken off the shelf price per unit, in `currency`."
    )
    currency: str | None = Field(None, pattern=r"^[A-Z]{3}$", description="ISO 4217 code of the prices.")
    rating: float | None = Field(
        None, allow_inf_nan=False, description="How the customer rates the item, on the shop's own scale; for rating events."
    )
    query: str | None = Field(None, max_length=512, description="Search text or filter expression.")
    surface: str | None = Field(None, max_length=64, description="Page or channel where it happened: home, product, cart, ...")
    request_id: str | None = Field(None, max_length=128, description="The recommendation answer this item came from.")
    position: int | None = Field(None, ge=1, description="Place of the item in that answer, from 1.")
    propensity: float | None = Field(
        None, gt=0, le=1, description="Probability with which the recommendation put this item at this place; for impressions."
    )
    source: str | None = Field(None, max_length=64, description="The candidate source that the recommendation names for this item.")
    bundle: str | None = Field(None, max_length=64, description="The model bundle that answered.")
    variant: str | None = Field(None, max_length=64, description="The experiment variant the person was in.")
    dwell_ms: int | None = Field(None, ge=0, description="Time spent, in milliseconds; for dwell events.")
    device: str | None = Field(None, max_length=64, description="Device kind: desktop, mobile, tablet, till, ...")
    channel: str | None = Field(None, max_length=64, description="Sales channel: web, app, store, email.")
    store_id: str | None = Field(None, max_length=64, description="The shop, for events in a shop.")
    consent: bool = Field(True, description="Whether the customer allows the event to be used for personalisation.")
    consent_analytics: bool = Field(
        True,
        description="Whether the customer allows the event to be used for analytics; events from before this field count as allowed.",
    )

    @model_validator(mode="after")
    def _fields_fit_type(self) -> Self:
        if self.event_type in NEEDS_ITEM and self.item_id is None:
            raise ValueError(f"item_id is missing; a {self.event_type} event needs it")
        if self.event_type in TAKES_OFF and self.item_id is None and self.order_id is None:
            raise ValueError(f"item_id or order_id is missing; a {self.event_type} event needs one of them")
        if self.event_type is EventType.RATING and self.rating is None:
            raise ValueError("rating is missing; a rating event needs it")
        if self.event_type in NEEDS_QUERY and self.query is None:
            raise ValueError(f"query is missing; a {self.event_type} event needs it")
        if self.event_type is EventType.PURCHASE and self.quantity is None:
            raise ValueError("quantity is missing; a purchase needs it")
        if self.unit_price is not None and self.currency is None:
            raise ValueError("currency is missing; a price needs it")
        return self
