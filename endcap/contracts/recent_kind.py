"""What a person did lately, by kind: the codes of recent items."""

from collections.abc import Mapping
from enum import IntEnum

from endcap.contracts.event_type import EventType


class RecentKind(IntEnum):
    """One kind of event; the first four have the codes of `endcap.contracts.signals`. Rows in the online store have them: only append."""

    PURCHASE = 1
    ADD_TO_CART = 2
    PRODUCT_VIEW = 3
    RATING = 4
    REMOVE_FROM_CART = 5
    RATED_LOW = 6


RECENT_KINDS: Mapping[EventType, RecentKind] = {
    EventType.PURCHASE: RecentKind.PURCHASE,
    EventType.ADD_TO_CART: RecentKind.ADD_TO_CART,
    EventType.PRODUCT_VIEW: RecentKind.PRODUCT_VIEW,
    EventType.RATING: RecentKind.RATING,
    EventType.REMOVE_FROM_CART: RecentKind.REMOVE_FROM_CART,
}
"""By event type; whether a rating counts against the item is the shop's to say."""
