"""Item update: what differs of one item from the bundle that is served."""

from pydantic import BaseModel, ConfigDict, Field

from endcap.contracts.amount import Amount
from endcap.contracts.item import Availability
from endcap.contracts.moment import UtcMoment


class ItemUpdate(BaseModel):
    """The present state of one item, where it differs from the bundle's; an empty field leaves the bundle's value."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    item_id: str = Field(min_length=1, max_length=128, description="An item of the catalogue.")
    updated_at: UtcMoment = Field(description="When this became so, UTC; of several rows of an item the last one holds.")
    price: Amount = Field(None, ge=0, allow_inf_nan=False, description="Present shelf price, in the catalogue's currency.")
    availability: Availability | None = Field(None, description="Only items in stock are recommended.")
    margin: float | None = Field(None, ge=-1, le=1, allow_inf_nan=False, description="What is earned of the price, as its share.")
    display_share: float | None = Field(None, ge=0, le=1, allow_inf_nan=False, description="Share of the shops that display it; 1 for yes.")
    mailer_share: float | None = Field(None, ge=0, le=1, allow_inf_nan=False, description="Share of the shops that advertise it.")
    purchases_7d: Amount = Field(None, ge=0, allow_inf_nan=False, description="Baskets with the item in the last seven days.")
    trend: Amount = Field(None, allow_inf_nan=False, description="As the item feature; from purchases_7d when it is empty.")
