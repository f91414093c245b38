"""One event as a shop's server sends it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from endcap_client.errors import InvalidSetting


@dataclass(frozen=True, slots=True)
class Event:
    """What happened. Id and time, where it has none, are given when it is sent the first time.

    Attributes:
        event_type: of endcap's contract.
        fields: of the contract, by its names, beside the type.
    """

    event_type: str
    fields: Mapping[str, Any]


def event_text(event: Event, new_id: UUID, now: datetime) -> tuple[str, str]:
    """The event as one line of JSON, and its id.

    Args:
        event: what happened.
        new_id: where it has none.
        now: where it does not say when, UTC.

    Raises:
        InvalidSetting: a field is no JSON, or `occurred_at` has no zone.
    """
    said = {name: value for name, value in event.fields.items() if value is not None}
    event_id = str(said.pop("event_id", new_id))
    occurred_at = said.pop("occurred_at", now)
    if not isinstance(occurred_at, datetime) or occurred_at.tzinfo is None:
        raise InvalidSetting("is no moment with a zone", field="occurred_at", value=occurred_at, fix="give datetime.now(UTC)")
    whole = {"event_id": event_id, "event_type": event.event_type, "occurred_at": moment_text(occurred_at), **said}
    try:
        return json.dumps(whole, ensure_ascii=False, allow_nan=False, separators=(",", ":")), event_id
    except (TypeError, ValueError) as error:
        raise InvalidSetting(f"is no JSON ({error})", field=event.event_type, fix="use texts, numbers, booleans, lists and dicts") from None


def moment_text(moment: datetime) -> str:
    """A moment as the contract has it: UTC, ISO 8601 with `Z`."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
