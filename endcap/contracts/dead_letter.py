"""Dead letter: an event that was not taken, with all that is needed to mend it and to send it again."""

from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from endcap.contracts.moment import UtcMoment


class DeadLetterKind(StrEnum):
    PAYLOAD_BROKEN = "payload_broken"
    SCHEMA_UNKNOWN = "schema_unknown"
    FIELD_REFUSED = "field_refused"
    TOO_LATE = "too_late"
    OVER_LIMIT = "over_limit"
    PART_AWAY = "part_away"


MEANINGS = {
    DeadLetterKind.PAYLOAD_BROKEN: "The bytes are no JSON, or JSON in which a key stands twice.",
    DeadLetterKind.SCHEMA_UNKNOWN: "The type, the version or the custom type is none that is known here.",
    DeadLetterKind.FIELD_REFUSED: "A field is missing, unknown, of another type or out of its bounds, or the sender may not send it.",
    DeadLetterKind.TOO_LATE: "It happened longer ago than is taken beside requests; a backfill takes it.",
    DeadLetterKind.OVER_LIMIT: "The request had more bytes or events than one may have.",
    DeadLetterKind.PART_AWAY: "A part that it had to go through did not answer.",
}
"""What each kind says."""


class DeadLetter(BaseModel):
    """One event, or one request that could not be taken apart. Nothing in clear text says whose it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    letter_id: UUID = Field(description="Names the letter; a replay that breaks off and starts again sends nothing twice.")
    kind: DeadLetterKind = Field(description="What is wrong, by kind.")
    reason: str = Field(max_length=512, description="What is wrong, for the person who mends it; without the event's values.")
    field: str | None = Field(None, max_length=64, description="The field at fault; empty when it is none of the contract's.")
    received_at: UtcMoment = Field(description="When it came, UTC.")
    key_id: str = Field(max_length=64, description="The sender's key, by name.")
    scope: str = Field(max_length=32, description="Scope of that key: the event is judged by it again.")
    index: int | None = Field(None, ge=0, description="Place of the event in its request, from 0; empty for a whole request.")
    event_id: UUID | None = Field(None, description="The event's id, where it has one.")
    event_type: str | None = Field(None, description="The event's type, where it is a known one.")
    payload: str = Field(description="What was sent, with the sender's address; encrypted.")
