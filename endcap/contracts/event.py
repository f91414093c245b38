"""Event v1 as it is stored: one thing a customer did or saw, judged, with the time of its arrival."""

from typing import Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from endcap.contracts.amount import Amount
from endcap.contracts.event_type import ABOUT_CONSENT, NEEDS_ITEM, NEEDS_QUERY, TAKES_OFF, TYPE_RULES, EventType
from endcap.contracts.moment import UtcMoment

__all__ = ["ABOUT_CONSENT", "NEEDS_ITEM", "NEEDS_QUERY", "TAKES_OFF", "TYPE_RULES", "Event", "EventFields", "EventType", "ExperimentArm"]

MISSING = "missing_field"
"""Kind of the error of a field that the event's type needs; its context names the `field`."""


class ExperimentArm(BaseModel):
    """The variant of one experiment that a person was in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    experiment: str = Field(description="The experiment's name.")
    variant: str = Field(description="The variant's name.")
    layer: str = Field(description="The layer of experiments that exclude each other.")


class EventFields(BaseModel):
    """What a submitted and a stored event have in common. Unknown fields, unknown types and times that are not UTC are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    event_id: UUID = Field(description="Idempotency key: an event sent twice counts once.")
    event_type: EventType = Field(description="What happened.")
    schema_version: Literal[1] = Field(1, description="Version of this contract.")
    occurred_at: UtcMoment = Field(description="When it happened, UTC.")
    sent_at: UtcMoment | None = Field(
        None, description="When the sender sent it, UTC, by the clock that `occurred_at` is of: the difference to the arrival corrects it."
    )
    user_id: str | None = Field(None, min_length=1, max_length=128, description="The customer; empty while anonymous.")
    session_id: str = Field(min_length=1, max_length=128, description="The visit, or the basket for a till receipt.")
    order_id: str | None = Field(
        None,
        min_length=1,
        max_length=128,
        description="The order or receipt of a purchase, `session_id` where it is empty; of a return or cancellation the one taken from.",
    )
    item_id: str | None = Field(None, min_length=1, max_length=128, description="The item it is about.")
    quantity: Amount = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="Units, or weight for goods sold by weight; empty in a return or cancellation of all of it.",
    )
    unit_price: Amount = Field(None, ge=0, allow_inf_nan=False, description="Price paid per unit, in `currency`; empty when unknown.")
    unit_discount: Amount = Field(
        None, ge=0, allow_inf_nan=False, description="What was taken off the shelf price per unit, in `currency`."
    )
    currency: str | None = Field(None, pattern=r"^[A-Z]{3}$", description="ISO 4217 code of the prices.")
    rating: Amount = Field(
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
    served_by: str | None = Field(None, max_length=128, description="The InferenceService that made the list; for impressions.")
    team: str | None = Field(
        None, max_length=64, description="Of interleaved lists, the ranking that put this item there; for impressions."
    )
    variant: str | None = Field(None, max_length=64, description="The variant of the deployment that answered.")
    experiments: list[ExperimentArm] | None = Field(None, description="The experiments the person was in, each with variant and layer.")
    dwell_ms: int | None = Field(None, ge=0, description="Time spent, in milliseconds; for dwell events.")
    device: str | None = Field(None, max_length=64, description="Device kind: desktop, mobile, tablet, till, ...")
    channel: str | None = Field(None, max_length=64, description="Sales channel: web, app, store, email.")
    store_id: str | None = Field(None, max_length=64, description="The shop, for events in a shop.")
    custom_type: str | None = Field(None, max_length=64, description="Name of a type of the shop's own; for custom events.")

    @model_validator(mode="after")
    def _fields_fit_type(self) -> Self:
        require_fields(self)
        return self


class Event(EventFields):
    """One event, schema version 1, as the dataset and the event log have it."""

    consent: bool = Field(True, description="Whether the customer allows the event to be used for personalisation.")
    consent_analytics: bool = Field(
        True,
        description="Whether the customer allows the event to be used for analytics; events from before this field count as allowed.",
    )
    properties: str | None = Field(None, description="What a custom event has beside these fields; a JSON object, stored as text.")
    received_at: UtcMoment = Field(description="When endcap took it in, UTC.")


def require_fields(event: EventFields) -> None:
    """Refuse an event that lacks a field its type needs.

    Raises:
        PydanticCustomError: names the field.
    """
    for name in TYPE_RULES[event.event_type].needs:
        if getattr(event, name) is None:
            raise missing(name, event.event_type)
    if event.event_type in TAKES_OFF and event.item_id is None and event.order_id is None:
        raise PydanticCustomError(
            MISSING,
            "item_id or order_id is missing; a {event_type} event needs one of them",
            {"field": "item_id", "event_type": event.event_type.value},
        )
    if event.unit_price is not None and event.currency is None:
        raise PydanticCustomError(MISSING, "currency is missing; a price needs it", {"field": "currency"})


def missing(field: str, event_type: EventType) -> PydanticCustomError:
    """The error of an event that lacks a field its type needs."""
    return PydanticCustomError(
        MISSING, "{field} is missing; a {event_type} event needs it", {"field": field, "event_type": event_type.value}
    )
