"""Event v1 as a sender submits it: strict, without what only endcap knows."""

from typing import Any, Self
from uuid import UUID

from pydantic import ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from endcap.contracts.event import EventFields, ExperimentArm, missing
from endcap.contracts.event_type import TYPE_RULES, EventType
from endcap.contracts.placeholder_ids import KnownId, NullableItemId, NullablePersonId

SERVED_FIELDS = ("propensity", "source", "bundle", "served_by", "team")
"""What only the part that served a list knows; other events name the list by its `request_id`."""

UNFIT = "unfit_field"
"""Kind of the error of a field that the event's type does not take; its context names the `field`."""

_POSITION_MAX = 1_000_000
_DWELL_MS_MAX = 7 * 86_400_000


class SubmittedArm(ExperimentArm):
    """The variant of one experiment that a person was in."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    experiment: str = Field(min_length=1, max_length=64, description="The experiment's name.")
    variant: str = Field(min_length=1, max_length=64, description="The variant's name.")
    layer: str = Field(min_length=1, max_length=64, description="The layer of experiments that exclude each other.")


class SubmittedEvent(EventFields):
    """One event as it is sent. Values are of their own JSON type, `received_at` is endcap's to say, ids that stand for none are none."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    user_id: NullablePersonId = Field(None, min_length=1, max_length=128, description="The customer; empty while anonymous.")
    session_id: KnownId = Field(min_length=1, max_length=128, description="The visit, or the basket for a till receipt.")
    order_id: NullablePersonId = Field(
        None,
        min_length=1,
        max_length=128,
        description="The order or receipt of a purchase; of a return or cancellation the one taken from.",
    )
    item_id: NullableItemId = Field(None, min_length=1, max_length=128, description="The item it is about.")
    request_id: NullablePersonId = Field(
        None, min_length=1, max_length=128, description="`request_id` of the recommendation answer this item came from."
    )
    position: int | None = Field(None, ge=1, le=_POSITION_MAX, description="Place of the item in that answer, from 1.")
    dwell_ms: int | None = Field(None, ge=0, le=_DWELL_MS_MAX, description="Time spent, in milliseconds; for dwell events.")
    experiments: list[SubmittedArm] | None = Field(  # type: ignore[assignment]
        None, max_length=50, description="The experiments the person was in, each with variant and layer."
    )
    consent: bool | None = Field(None, description="Whether the customer allows personalisation; the collector's setting when left out.")
    consent_analytics: bool | None = Field(
        None, description="Whether the customer allows analytics; the collector's setting when left out."
    )
    properties: dict[str, Any] | None = Field(None, description="What a custom event has beside these fields, as its own schema says.")

    @field_validator("event_id")
    @classmethod
    def _is_an_id(cls, event_id: UUID) -> UUID:
        if event_id.int == 0:
            raise ValueError("this stands for no id; send a random UUID")
        return event_id

    @model_validator(mode="after")
    def _sender_gives_its_part(self) -> Self:
        for name in TYPE_RULES[self.event_type].asks:
            if getattr(self, name) is None:
                raise missing(name, self.event_type)
        if self.event_type is not EventType.IMPRESSION:
            self._refuse(SERVED_FIELDS, "an impression")
        if self.event_type is not EventType.CUSTOM:
            self._refuse(("custom_type", "properties"), "a custom event")
        return self

    def _refuse(self, names: tuple[str, ...], kind: str) -> None:
        for name in names:
            if getattr(self, name) is not None:
                raise PydanticCustomError(UNFIT, "{field} is for {kind} only; leave it out", {"field": name, "kind": kind})
