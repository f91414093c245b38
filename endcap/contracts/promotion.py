"""Promotion: an item shown or advertised more than usual for a time."""

from pydantic import BaseModel, ConfigDict, Field

from endcap.contracts.moment import UtcMoment


class Promotion(BaseModel):
    """One item's promotion in one shop, or in all of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    item_id: str = Field(min_length=1, max_length=128, description="The promoted item.")
    store_id: str | None = Field(None, max_length=64, description="The shop; empty for every shop.")
    starts_at: UtcMoment = Field(description="First instant of the promotion, UTC.")
    ends_at: UtcMoment = Field(description="First instant after it, UTC.")
    display: str | None = Field(None, max_length=64, description="Display in the shop: front, end cap, aisle, ...; empty for none.")
    mailer: str | None = Field(None, max_length=64, description="Place in the mailer; empty for none.")
