"""One submitted change of the catalogue judged: a line of the log, or the reason why not."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from endcap.catalogue.changes.catalogue_change import SubmittedItem, SubmittedItemUpdate, change_of
from endcap.events.acceptance.json_text import BrokenJson, read_json
from endcap.events.acceptance.moments import AHEAD_MAX

_OF_WHOLE_ITEMS = ("title", "category_path")
"""Either of these makes it a whole item, which needs both."""

_REASON_MAX = 400


@dataclass(frozen=True, slots=True)
class AcceptedChange:
    """A change that is taken.

    Attributes:
        line: of the log, ended.
        is_whole: whether it is a whole item.
    """

    line: str
    is_whole: bool


@dataclass(frozen=True, slots=True)
class RefusedChange:
    """A change that is not taken.

    Attributes:
        field: at fault; None for the whole of it.
        reason: for the sender; no value of the change is in it.
    """

    field: str | None
    reason: str


def judged_change(text: str, change_id: UUID, received_at: datetime) -> AcceptedChange | RefusedChange:
    """Judge one change.

    Args:
        text: a JSON object.
        change_id: of the line.
        received_at: by the server's clock, UTC; a moment up to five minutes later counts as this one.
    """
    try:
        value = read_json(text)
    except BrokenJson as error:
        return RefusedChange(None, str(error))
    if not isinstance(value, dict):
        return RefusedChange(None, "an item is a JSON object")
    contract = SubmittedItem if any(name in value for name in _OF_WHOLE_ITEMS) else SubmittedItemUpdate
    try:
        submitted = contract.model_validate_json(text)
    except ValidationError as error:
        return _refused(error, contract)
    updated_at = received_at if submitted.updated_at is None else submitted.updated_at
    if updated_at - received_at > AHEAD_MAX:
        return RefusedChange("updated_at", "more than five minutes ahead; send when it became so, or leave it out")
    if isinstance(submitted, SubmittedItemUpdate) and _says_nothing(value):
        return RefusedChange(None, "nothing changes; give at least one value beside item_id")
    change = change_of(submitted, change_id, min(updated_at, received_at), received_at)
    return AcceptedChange(change.model_dump_json(exclude_none=True) + "\n", contract is SubmittedItem)


def _says_nothing(value: Mapping[str, Any]) -> bool:
    return all(given is None for name, given in value.items() if name not in ("item_id", "updated_at"))


def _refused(error: ValidationError, contract: type[SubmittedItem] | type[SubmittedItemUpdate]) -> RefusedChange:
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"][:3]) or None
    match first["type"]:
        case "extra_forbidden" if contract is SubmittedItemUpdate and place in SubmittedItem.model_fields:
            reason = "no field of an update; a whole item has title and category_path beside it"
        case "extra_forbidden" if place in SubmittedItemUpdate.model_fields:
            reason = "no field of a whole item; send it as an update of its own"
        case "extra_forbidden":
            reason = "no field of the contract; leave it out"
        case "missing":
            reason = "missing"
        case _:
            reason = first["msg"].removeprefix("Value error, ")
    return RefusedChange(place[:128] if place else None, reason[:_REASON_MAX])
