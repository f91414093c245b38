"""A change of the catalogue as it is submitted, and the line of the log that keeps it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BeforeValidator, ConfigDict, Field

from endcap.contracts.catalogue_change import CatalogueChange
from endcap.contracts.item import Item
from endcap.contracts.item_update import ItemUpdate
from endcap.contracts.moment import UtcMoment
from endcap.contracts.placeholder_ids import is_no_item


def _known(value: object) -> object:
    if isinstance(value, str) and is_no_item(value):
        raise ValueError("this stands for no id; send the item's own")
    return value


ItemId = Annotated[str, BeforeValidator(_known)]
_WHEN = "When this became so, UTC; when it comes in, where it is left out."


class SubmittedItemUpdate(ItemUpdate):
    """What changes of one item; a field that is left out stays as it is."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    item_id: ItemId = Field(min_length=1, max_length=128, description="An item of the catalogue.")
    updated_at: UtcMoment | None = Field(None, description=_WHEN)  # type: ignore[assignment]


class SubmittedItem(Item):
    """A whole item, new or in the place of the one that was there."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    item_id: ItemId = Field(min_length=1, max_length=128, description="The shop's own id, stable over time.")
    updated_at: UtcMoment | None = Field(None, description=_WHEN)


def change_of(
    submitted: SubmittedItemUpdate | SubmittedItem, change_id: UUID, updated_at: datetime, received_at: datetime
) -> CatalogueChange:
    """The line that keeps what was submitted."""
    if isinstance(submitted, SubmittedItemUpdate):
        said = submitted.model_dump(exclude={"updated_at"})
        whole = None
    else:
        said = submitted.model_dump(include={"item_id", "price", "margin", "availability"})
        whole = Item(**submitted.model_dump(exclude={"updated_at"})).model_dump_json(exclude_none=True)
    return CatalogueChange(**said, change_id=change_id, updated_at=updated_at, received_at=received_at, item=whole)
