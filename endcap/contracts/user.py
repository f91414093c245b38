"""User: what the shop knows of a customer beyond behaviour."""

from pydantic import BaseModel, ConfigDict, Field

from endcap.contracts.moment import UtcMoment


class User(BaseModel):
    """One customer or household. Every field but the id is optional; bands, never birthdays."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    user_id: str = Field(min_length=1, max_length=128, description="The customer or household.")
    created_at: UtcMoment | None = Field(None, description="When the account was made, UTC.")
    region: str | None = Field(None, max_length=64, description="Region for regional popularity and eligibility.")
    age_band: str | None = Field(None, max_length=32, description="Age as a band, for example 35-44.")
    income_band: str | None = Field(None, max_length=32, description="Income as a band.")
    household_size: str | None = Field(None, max_length=32, description="People in the household, for example 2 or 5+.")
    household_composition: str | None = Field(None, max_length=64, description="For example 2 Adults Kids.")
    attributes: dict[str, str] = Field(default_factory=dict, description="Anything else, as text; stored as a JSON object.")
