"""How long what followed may take, and which events follow at all."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from endcap.contracts.event_type import EventType
from endcap.contracts.outcome import Objective
from endcap.core.settings import OutcomeSettings

CLICKS = (EventType.CLICK, EventType.PRODUCT_VIEW, EventType.ADD_TO_CART, EventType.PURCHASE)
"""What counts as a click on an impression when it carries the impression's request and item."""

FOLLOWS: Mapping[Objective, tuple[EventType, ...]] = {
    Objective.CLICK: CLICKS,
    Objective.CART: (EventType.ADD_TO_CART,),
    Objective.PURCHASE: (EventType.PURCHASE,),
}
"""Events by what they are of a list; without its request a purchase or a cart is no click on it."""

NAMED_ONLY = frozenset({(Objective.CLICK, EventType.ADD_TO_CART), (Objective.CLICK, EventType.PURCHASE)})


@dataclass(frozen=True, slots=True)
class Windows:
    """Time from an impression within which an event counts for it."""

    click: timedelta = timedelta(minutes=30)
    cart: timedelta = timedelta(days=1)
    purchase: timedelta = timedelta(days=7)

    @classmethod
    def of(cls, settings: OutcomeSettings) -> "Windows":
        return cls(timedelta(minutes=settings.click_minutes), timedelta(hours=settings.cart_hours), timedelta(days=settings.purchase_days))

    @property
    def longest(self) -> timedelta:
        return max(self.click, self.cart, self.purchase)

    def table(self) -> pl.DataFrame:
        """Columns event_type, objective, window, named_only: what an event may be."""
        length = {Objective.CLICK: self.click, Objective.CART: self.cart, Objective.PURCHASE: self.purchase}
        rows = [
            (kind, objective, length[objective], (objective, kind) in NAMED_ONLY) for objective, kinds in FOLLOWS.items() for kind in kinds
        ]
        return pl.DataFrame(
            [(kind.value, objective.value, window, named) for kind, objective, window, named in rows],
            schema={"event_type": pl.String(), "objective": pl.String(), "window": pl.Duration("us"), "named_only": pl.Boolean()},
            orient="row",
        )
