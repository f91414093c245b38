"""The predict request: one instance asks for one list."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from endcap.contracts.moment import UtcMoment
from endcap.contracts.reserved_id import ID_CHARACTERS_MAX

K_MAX = 500
PRICE_MAX = 3.4028234663852886e38
"""The largest float32: the catalogue and the index hold prices as such, and a larger one would be infinite there."""
Identifier = Annotated[str, Field(min_length=1, max_length=ID_CHARACTERS_MAX)]

LANE_HEADER, BULK_LANE = "x-endcap-lane", "bulk"
"""Header of a predict call, and what it may say: nobody waits for the lists, nor sees them now."""
Price = Annotated[float, Field(ge=0, le=PRICE_MAX, allow_inf_nan=False)]
SurfaceName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]


class Surface(StrEnum):
    """Surfaces that endcap ships with; a configuration may have others."""

    HOME = "home"
    PRODUCT = "product"
    PRODUCT_SIMILAR = "product_similar"
    PRODUCT_BOUGHT_TOGETHER = "product_bought_together"
    CART = "cart"
    CATEGORY = "category"
    SEARCH = "search"
    EMAIL = "email"


class Filters(BaseModel):
    """Restrictions on what may be shown; all of them hold at once."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    categories: list[Identifier] | None = Field(
        None, max_length=50, description="Names of categories at any level; an item needs one of them. An empty list is no filter."
    )
    brands: list[Identifier] | None = Field(
        None, max_length=50, description="An item needs one of these brands. An empty list is no filter."
    )
    price_min: Price | None = Field(None, description="Lowest price shown.")
    price_max: Price | None = Field(None, description="Highest price shown.")
    new_to_user: bool = Field(False, description="Only items the user has never bought.")

    @model_validator(mode="after")
    def _prices_in_order(self) -> Self:
        if self.price_min is not None and self.price_max is not None and self.price_min > self.price_max:
            raise ValueError(f"price_min is above price_max: {self.price_min:g} and {self.price_max:g}; swap them, or leave one out")
        return self


class Context(BaseModel):
    """Where and when the list will be seen."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    device: str | None = Field(None, max_length=64, description="desktop, mobile, tablet, till or app.")
    geo: str | None = Field(None, max_length=64, description="Region, for regional popularity.")
    time: UtcMoment | None = Field(None, description="The moment to answer for, UTC; the present when left out.")
    page: str | None = Field(None, max_length=512, description="Page the list is shown on.")


class Preferences(BaseModel):
    """What a new customer said they like, for example when they signed up."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    categories: list[Identifier] = Field(default_factory=list, max_length=50, description="Names of categories at any level.")
    brands: list[Identifier] = Field(default_factory=list, max_length=50, description="Brands.")


class Consent(BaseModel):
    """What the customer allows; what is not said takes the endpoint's setting, `ENDCAP_CONSENT__*`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    personalisation: bool | None = Field(
        None, description="Whether features of the user and the session may be read; without it the list comes from the request alone."
    )
    analytics: bool | None = Field(
        None, description="Whether impressions may carry the user's and the session's id; without it a random session stands in."
    )


class Instance(BaseModel):
    """One list to recommend. An unknown field is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    user_id: Identifier | None = Field(None, description="The customer, when known.")
    session_id: Identifier | None = Field(None, description="The visit.")
    surface: SurfaceName = Field(Surface.HOME.value, description="What the list is for: one of the configured surfaces.")
    item_ids: list[Identifier] = Field(
        default_factory=list, max_length=500, description="The product page's item, the cart, the search results."
    )
    k: int = Field(10, ge=1, le=K_MAX, description="How many items.")
    filters: Filters = Field(default_factory=Filters)
    context: Context = Field(default_factory=Context)
    preferences: Preferences = Field(default_factory=Preferences, description="Stated tastes, for people without a history.")
    exclude: list[Identifier] = Field(default_factory=list, max_length=1000, description="Items never to show in this list.")
    explain: bool = Field(False, description="Whether to say how each item came to its place.")
    consent: Consent = Field(default_factory=Consent)


class PredictRequest(BaseModel):
    """The body of a V1 predict call."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    instances: list[Instance] = Field(min_length=1, max_length=100, description="The lists to recommend.")
