"""Lines that Kafka does not take for their size, as dead letters."""

import json
from datetime import datetime
from uuid import NAMESPACE_OID, UUID, uuid5

from endcap.contracts.dead_letter import DeadLetter, DeadLetterKind
from endcap.contracts.event_type import EventType
from endcap.events.acceptance.acceptance import Refused, Sender
from endcap.events.acceptance.scopes import TYPES_OF_SCOPE, Scope
from endcap.events.dead_letters.letters import SentText, dead_letter
from endcap.events.dead_letters.sealing import Seal

KEY_ID = "collector"
"""The key that such letters name: who sent the line is not known any more."""


def too_large_letter(line: bytes, place: str, reason: str, seal: Seal, now: datetime) -> DeadLetter:
    """The letter of a line; the same line has the same id whenever it is refused.

    Args:
        line: an event or a change of an item, as the log has it.
        place: of the line in the log.
        reason: what Kafka said.
        seal: of dead letters.
        now: when it is buried, UTC.
    """
    fields = json.loads(line)
    event_id = UUID(fields["event_id"]) if "event_id" in fields else None
    event_type = EventType(fields["event_type"]) if "event_type" in fields else None
    refused = Refused(DeadLetterKind.OVER_LIMIT, None, f"{len(line)} bytes are too large for Kafka: {reason}", event_id, event_type)
    scope = Scope.TRANSFORMER if event_type is EventType.IMPRESSION else Scope.BACKFILL
    letter = dead_letter(refused, SentText(line.decode(), None, 0), Sender(KEY_ID, scope, TYPES_OF_SCOPE[scope]), now, seal)
    return letter.model_copy(update={"letter_id": uuid5(NAMESPACE_OID, place)})
