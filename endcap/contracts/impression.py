"""Impression: one place of a list as it was served, which the transformer writes."""

from typing import Literal

from pydantic import Field

from endcap.contracts.event import Event, EventType


class Impression(Event):
    """An event of the type `impression`, with what only the part that served the list knows."""

    event_type: Literal[EventType.IMPRESSION] = Field(description="What happened: a recommended item was served.")
    item_id: str = Field(min_length=1, max_length=128, description="The item that was shown.")
    position: int = Field(ge=1, description="Place of the item in the list, from 1.")
    propensity: float = Field(gt=0, le=1, description="Probability with which the recommendation put this item at this place.")
