"""Signals: what each kind of event says of the person and the item, how much it counts, and whether it is predicted."""

from collections.abc import Mapping
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from endcap.contracts.event import EventType

SIGNAL_TYPES = (EventType.PURCHASE, EventType.ADD_TO_CART, EventType.PRODUCT_VIEW, EventType.RATING)
"""Event types that say that a person wants an item. A type's code is its place from 1, and trained weights know it by that: only append."""

PURCHASE_CODE, VIEW_CODE = 1, 3

VISIT_PREFIX = "\x1f"
"""Begins the `user_id` of what nobody known did: the visit stands for a user that no shop names so."""


_CODES: Mapping[str, int] = {name: place for place, name in enumerate(SIGNAL_TYPES, 1)}


def signal_code(event_type: str) -> int:
    """The code of an event type, from 1; 0 for one that is no signal."""
    return _CODES.get(event_type, 0)


def event_type_of(code: int) -> str:
    """The event type of a code from 1."""
    return SIGNAL_TYPES[code - 1].value


class Signal(BaseModel):
    """One event type."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    weight: float = Field(ge=0, le=10, description="What one event counts beside a purchase, which counts 1; 0 leaves the type out.")
    history: bool = Field(True, description="Whether its items stand in the history that the query tower reads.")
    predicted: bool = Field(True, description="Whether it is an objective: the next one is what models learn to predict.")


class Signals(BaseModel):
    """How events teach the models. Types that a dataset lacks add nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    purchase: Signal = Signal(weight=1.0)
    add_to_cart: Signal = Signal(weight=0.5)
    product_view: Signal = Signal(weight=0.2)
    rating: Signal = Signal(weight=0.5, predicted=False)
    low_rating: float | None = Field(None, description="Ratings up to this, on the shop's own scale, count against; None for none.")
    anonymous_visits: bool = Field(True, description="Whether visits of nobody known are sequences that models learn from.")

    @model_validator(mode="after")
    def _something_counts(self) -> Self:
        if not any(self.of(code).weight for code in range(1, len(SIGNAL_TYPES) + 1)):
            raise ValueError("every weight is 0; give at least one event type a weight above 0")
        return self

    def of(self, code: int) -> Signal:
        """The signal of a code from 1."""
        signal: Signal = getattr(self, event_type_of(code))
        return signal

    @property
    def counted(self) -> tuple[int, ...]:
        """Codes of the types that teach: those with a weight."""
        return tuple(code for code in range(1, len(SIGNAL_TYPES) + 1) if self.of(code).weight)

    @property
    def weights(self) -> NDArray[np.float32]:
        """float32 [len(SIGNAL_TYPES) + 1], by code; 0 for code 0."""
        return np.array([0.0, *(self.of(code).weight for code in range(1, len(SIGNAL_TYPES) + 1))], dtype=np.float32)
