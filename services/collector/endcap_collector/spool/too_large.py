"""Lines that Kafka does not take for their size, as dead letters."""

from datetime import datetime
from uuid import NAMESPACE_OID, UUID, uuid5

from pydantic import BaseModel, ValidationError

from endcap.contracts.dead_letter import DeadLetter, DeadLetterKind
from endcap.contracts.event_type import EventType
from endcap.events.acceptance.acceptance import Refused, Sender
from endcap.events.acceptance.scopes import TYPES_OF_SCOPE, Scope
from endcap.events.dead_letters.letters import SentText, dead_letter
from endcap.events.dead_letters.sealing import Seal

KEY_ID = "collector"
"""The key that such letters name: who sent the line is not known any more."""


class _Named(BaseModel):
    """What of an event its letter says in clear text; whether the contract takes all of it does not matter here."""

    event_id: UUID | None = None
    event_type: EventType | None = None


def too_large_letter(line: bytes, place: str, reason: str, seal: Seal, now: datetime) -> DeadLetter:
    """The letter of a line; the same line has the same id whenever it is refused.

    Args:
        line: an event or a change of an item, as the log has it.
        place: of the line in the log.
        reason: what Kafka said.
        seal: of dead letters.
        now: when it is buried, UTC.
    """
    named = _named(line)
    reason = f"{len(line)} bytes are too large for Kafka: {reason}"
    refused = Refused(DeadLetterKind.OVER_LIMIT, None, reason, named.event_id, named.event_type)
    scope = Scope.TRANSFORMER if named.event_type is EventType.IMPRESSION else Scope.BACKFILL
    letter = dead_letter(
        refused, SentText(line.decode("utf-8", "replace"), None, 0), Sender(KEY_ID, scope, TYPES_OF_SCOPE[scope]), now, seal
    )
    return letter.model_copy(update={"letter_id": uuid5(NAMESPACE_OID, place)})


def _named(line: bytes) -> _Named:
    """What a line names; nothing for a change of an item, and for what a damaged disk made of it."""
    try:
        return _Named.model_validate_json(line)
    except ValidationError:
        return _Named()
