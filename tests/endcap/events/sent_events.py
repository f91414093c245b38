"""Events as senders write them."""

from datetime import datetime
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from endcap.contracts.event_type import EventType
from endcap.events.examples import EXAMPLES

CUSTOM_TYPES = """
types:
  size_guide_opened:
    meaning: The size guide was opened.
    browser: true
    schema: {type: object, required: [table], properties: {table: {type: string}}}
  appointment:
    meaning: An appointment was made.
    schema: {type: object}
"""


def sent(kind: EventType, moment: datetime, name: str = "", **changes: Any) -> dict[str, Any]:
    """The type's example at a moment; its id is made of type and name."""
    event_id = str(uuid5(NAMESPACE_OID, f"{kind} {name}"))
    return {
        "event_id": event_id,
        "event_type": kind.value,
        "occurred_at": moment.isoformat().replace("+00:00", "Z"),
        **EXAMPLES[kind],
        **changes,
    }
