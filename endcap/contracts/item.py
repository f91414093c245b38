"""Item: one thing a shop sells."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from endcap.contracts.amount import Amount
from endcap.contracts.moment import UtcMoment


class Availability(StrEnum):
    IN_STOCK = "in_stock"
    OUT_OF_STOCK = "out_of_stock"
    DISCONTINUED = "discontinued"


class Item(BaseModel):
    """One item of the catalogue."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    item_id: str = Field(min_length=1, max_length=128, description="The shop's own id, stable over time.")
    title: str = Field(min_length=1, max_length=512, description="Name shown to customers.")
    category_path: list[str] = Field(description="From the broadest category to the finest; may be empty.", max_length=8)
    brand: str | None = Field(None, max_length=128, description="Brand or maker.")
    family_id: str | None = Field(
        None,
        min_length=1,
        max_length=128,
        description="Items that differ in size, colour or seller only belong to one family; empty where the title is to tell.",
    )
    price: Amount = Field(None, ge=0, allow_inf_nan=False, description="Present shelf price, in `currency`.")
    currency: str | None = Field(None, pattern=r"^[A-Z]{3}$", description="ISO 4217 code of the price.")
    margin: float | None = Field(None, ge=-1, le=1, allow_inf_nan=False, description="What is earned of the price, as its share.")
    availability: Availability = Field(Availability.IN_STOCK, description="Only items in stock are recommended.")
    created_at: UtcMoment | None = Field(None, description="When the item entered the catalogue, UTC.")
    attributes: dict[str, str] = Field(default_factory=dict, description="Anything else, as text; stored as a JSON object.")
    image_url: str | None = Field(None, max_length=2048, description="Picture, if any.")
