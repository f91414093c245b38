"""One event of each type, as a shop sends it."""

from collections.abc import Mapping
from typing import Any

from endcap.contracts.event_type import EventType

Example = Mapping[str, Any]

_VISIT = {"session_id": "s-81f0"}
_ITEM = {**_VISIT, "item_id": "tea-0042"}
_LISTED = {**_ITEM, "request_id": "r-5f2c", "position": 3}
_ORDER = {"session_id": "s-81f0", "user_id": "u-1007", "order_id": "o-5001"}
_PRICE = {"unit_price": 4.5, "currency": "EUR"}
_CONSENT = {**_VISIT, "user_id": "u-1007"}

EXAMPLES: Mapping[EventType, Example] = {
    EventType.PAGE_VIEW: {**_VISIT, "surface": "home", "device": "mobile", "channel": "web"},
    EventType.PRODUCT_VIEW: {**_LISTED, "surface": "product"},
    EventType.ADD_TO_CART: {**_LISTED, "quantity": 2, **_PRICE},
    EventType.REMOVE_FROM_CART: {**_ITEM, "quantity": 1},
    EventType.ADD_TO_WISH_LIST: {**_ITEM},
    EventType.REMOVE_FROM_WISH_LIST: {**_ITEM},
    EventType.PURCHASE: {**_ORDER, "item_id": "tea-0042", "quantity": 2, **_PRICE},
    EventType.RETURN: {**_ORDER, "item_id": "tea-0042", "quantity": 1},
    EventType.CANCELLATION: {**_ORDER},
    EventType.RATING: {**_ITEM, "user_id": "u-1007", "rating": 4.5},
    EventType.SEARCH: {**_VISIT, "query": "green tea"},
    EventType.SEARCH_RESULT: {**_ITEM, "query": "green tea", "position": 1},
    EventType.FILTER: {**_VISIT, "query": "brand:Leaf & Co", "surface": "category"},
    EventType.IMPRESSION: {
        **_LISTED,
        "surface": "home",
        "propensity": 0.1,
        "source": "two_tower",
        "bundle": "endcap/7",
        "served_by": "endcap",
        "variant": "default",
    },
    EventType.SEEN_IMPRESSION: {**_LISTED, "surface": "home"},
    EventType.CLICK: {**_LISTED, "surface": "home", "experiments": [{"experiment": "bigger-pictures", "variant": "b", "layer": "page"}]},
    EventType.DWELL: {**_ITEM, "dwell_ms": 12_500},
    EventType.MAIL_OPEN: {**_CONSENT, "request_id": "r-77aa", "channel": "email"},
    EventType.CONSENT_GIVEN: {**_CONSENT, "consent": True, "consent_analytics": True},
    EventType.CONSENT_WITHDRAWN: {**_CONSENT, "consent": False, "consent_analytics": False},
    EventType.IDENTITY: {**_CONSENT},
    EventType.CUSTOM: {**_VISIT, "custom_type": "size_guide_opened", "properties": {"table": "shoes"}},
}
"""Fields by type, beside `event_id`, `event_type` and `occurred_at`, which every event has."""
