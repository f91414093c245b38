"""What the collector answers."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from endcap.contracts.dead_letter import DeadLetterKind
from endcap_collector.intake import Taken


class RefusedEvent(BaseModel):
    """One event that was not taken. It is kept as a dead letter."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    index: int = Field(ge=0, description="Its place in the request, from 0.")
    kind: DeadLetterKind = Field(description="What is wrong, by kind.")
    field: str | None = Field(None, description="The field at fault; empty for the whole event.")
    reason: str = Field(description="What is wrong, and what to send instead.")


class EventsAnswer(BaseModel):
    """What became of a request's events. Those that are accepted or duplicates are on disk."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    accepted: int = Field(ge=0, description="Events stored now.")
    duplicates: int = Field(ge=0, description="Events stored before: the same id, the same content.")
    refused: Sequence[RefusedEvent] = Field(description="Events that were not taken, each with its place and reason.")


class RefusedItem(BaseModel):
    """One item that was not taken."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    index: int = Field(ge=0, description="Its place in the request, from 0.")
    field: str | None = Field(None, description="The field at fault; empty for the whole item.")
    reason: str = Field(description="What is wrong, and what to send instead.")


class ItemsAnswer(BaseModel):
    """What became of a request's items. Those that are accepted are on disk."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    accepted: int = Field(ge=0, description="Items and item updates stored.")
    refused: Sequence[RefusedItem] = Field(description="Those that were not taken, each with its place and reason.")


class Refusal(BaseModel):
    """Why a request was not answered."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    error: str = Field(description="For the person who wrote the request: what is wrong, and what is allowed.")


class Readiness(BaseModel):
    """Whether requests may be sent."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ready: bool


def answer_of(taken: Taken) -> EventsAnswer:
    """The answer to a request whose events were taken apart."""
    refused = [RefusedEvent(index=index, kind=why.kind, field=why.field, reason=why.reason) for index, why in taken.refused]
    return EventsAnswer(accepted=taken.accepted, duplicates=taken.duplicates, refused=refused)


def status_of(taken: Taken) -> int:
    """200 when anything is stored; else 403 when another key could have sent all of it, else 400."""
    if taken.accepted or taken.duplicates:
        return 200
    return 403 if all(why.is_forbidden for _, why in taken.refused) else 400
