"""What persons were shown in lists, and what of it they followed: what the ranker's examples are weighed by.

A file of the training set, between the step that joins the lists with what followed and the step that trains the ranker.
"""

from typing import Final

import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from endcap.contracts.event_type import EventType

SHOWN_NAME: Final = "shown.parquet"
SHOWN_SCHEMA: Final = pl.Schema(
    {
        "user_id": pl.String(),
        "item_index": pl.Int32(),
        "shown_at": pl.Datetime("us", "UTC"),
        "look_chance": pl.Float32(),
        "propensity": pl.Float32(),
        "followed": pl.Boolean(),
    }
)
"""A row a place: how likely it was looked at (the first place's is 1), how likely it was filled so, and whether something followed."""

FOLLOWED_ENOUGH: Final = 300
"""Followed places from which on the examples are weighed: ten ratios of click rates could be told from them."""

LIST_TYPES: Final = (EventType.IMPRESSION, EventType.SEEN_IMPRESSION)
LIST_EVENTS_MAX: Final = 1_000_000


class ShownLists(BaseModel):
    """What a training set knows of lists; counts of places, within the ranking windows' labels."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    places: int = Field(ge=0, description="Places of lists of persons, of items in the catalogue.")
    followed: int = Field(ge=0, description="Those for which a click, an item put into the cart, or a purchase counts.")
    users: int = Field(ge=0, description="Persons who were shown them.")
    share: float = Field(gt=0, le=1, description="Share of the persons whose lists were read.")
    examination: str = Field(description="How likely a place is looked at: what is measured, and what assumed.")

    @property
    def are_enough(self) -> bool:
        """Whether the ranker's examples are weighed by them."""
        return self.followed >= FOLLOWED_ENOUGH

    def note(self) -> str:
        """What becomes of them, as a sentence for the manifest."""
        of_them = f"{self.places:,} places of lists shown to {self.users:,} persons, {self.followed:,} of them followed"
        if self.are_enough:
            return f"the ranker's examples are weighed by {of_them}; looked at: {self.examination}"
        return f"the ranker's examples are not weighed by what was shown: {of_them}, and {FOLLOWED_ENOUGH:,} have to be"


def lists_of_some(events: pl.LazyFrame, events_max: int = LIST_EVENTS_MAX) -> tuple[pl.LazyFrame, float]:
    """The events, with the lists of as many persons as fit, all lists of each; other events all stay.

    A person's lists stay together, since what they did counts for the last list that showed the item.

    Args:
        events: columns event_type, user_id, session_id and whatever else.
        events_max: events of LIST_TYPES to keep, about.

    Returns:
        The events, and the share of the persons whose lists are kept.
    """
    of_list = pl.col("event_type").is_in([kind.value for kind in LIST_TYPES])
    count = int(events.filter(of_list).select(pl.len()).collect(engine="streaming").item())
    share = min(1.0, events_max / count) if count else 1.0
    if share == 1.0:
        return events, share
    person = pl.coalesce("user_id", "session_id", pl.lit(""))
    return events.filter(~of_list | (person.hash(0) < int(share * 2**64))), share
