"""Catalogue change: one line of the catalogue's log, an update or a whole item."""

from uuid import UUID

from pydantic import Field

from endcap.contracts.item_update import ItemUpdate
from endcap.contracts.moment import UtcMoment


class CatalogueChange(ItemUpdate):
    """One line of the catalogue's log. A whole item says its price, margin and availability here too."""

    change_id: UUID = Field(description="A line that is read twice counts once.")
    received_at: UtcMoment = Field(description="When endcap took it in, UTC.")
    item: str | None = Field(None, description="The whole item, a JSON object stored as text; empty for an update.")
