"""Types of events: what each says, and which fields it cannot do without."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class EventType(StrEnum):
    PAGE_VIEW = "page_view"
    PRODUCT_VIEW = "product_view"
    ADD_TO_CART = "add_to_cart"
    REMOVE_FROM_CART = "remove_from_cart"
    ADD_TO_WISH_LIST = "add_to_wish_list"
    REMOVE_FROM_WISH_LIST = "remove_from_wish_list"
    PURCHASE = "purchase"
    RETURN = "return"
    CANCELLATION = "cancellation"
    RATING = "rating"
    SEARCH = "search"
    SEARCH_RESULT = "search_result"
    FILTER = "filter"
    IMPRESSION = "impression"
    SEEN_IMPRESSION = "seen_impression"
    CLICK = "click"
    DWELL = "dwell"
    MAIL_OPEN = "mail_open"
    CONSENT_GIVEN = "consent_given"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    IDENTITY = "identity"
    CUSTOM = "custom"


@dataclass(frozen=True, slots=True)
class TypeRule:
    """What one type is for and asks for.

    Attributes:
        meaning: in a sentence's words.
        needs: fields without which no event of the type is stored.
        asks: fields that a sender must give beyond those; what was stored before may lack them.
    """

    meaning: str
    needs: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()


TYPE_RULES: Mapping[EventType, TypeRule] = {
    EventType.PAGE_VIEW: TypeRule("A page other than a product's was opened."),
    EventType.PRODUCT_VIEW: TypeRule("An item's page was opened.", needs=("item_id",)),
    EventType.ADD_TO_CART: TypeRule("An item was put into the cart.", needs=("item_id",)),
    EventType.REMOVE_FROM_CART: TypeRule("An item was taken out of the cart.", needs=("item_id",)),
    EventType.ADD_TO_WISH_LIST: TypeRule("An item was put on a wish list.", needs=("item_id",)),
    EventType.REMOVE_FROM_WISH_LIST: TypeRule("An item was taken off a wish list.", needs=("item_id",)),
    EventType.PURCHASE: TypeRule("An item was bought, an event a line of the order.", needs=("item_id", "quantity")),
    EventType.RETURN: TypeRule("Something bought came back; names the item, the order, or both."),
    EventType.CANCELLATION: TypeRule("Something ordered was cancelled; names the item, the order, or both."),
    EventType.RATING: TypeRule("An item was rated.", needs=("item_id", "rating")),
    EventType.SEARCH: TypeRule("A search was made.", needs=("query",)),
    EventType.SEARCH_RESULT: TypeRule("A search result was shown, an event an item.", needs=("item_id", "query")),
    EventType.FILTER: TypeRule("A list was narrowed; `query` has the filter.", asks=("query",)),
    EventType.IMPRESSION: TypeRule("A recommended item was served, an event a place of the list.", needs=("item_id",)),
    EventType.SEEN_IMPRESSION: TypeRule(
        "A recommended item came into view; joined to what was served by request, item and position.",
        needs=("item_id", "request_id", "position"),
    ),
    EventType.CLICK: TypeRule("An item of a list was clicked.", needs=("item_id",)),
    EventType.DWELL: TypeRule("Time was spent on a page, or on an item's.", asks=("dwell_ms",)),
    EventType.MAIL_OPEN: TypeRule("A mail was opened."),
    EventType.CONSENT_GIVEN: TypeRule("The customer's consent, as it stands from now on, after some was given.", asks=("user_id",)),
    EventType.CONSENT_WITHDRAWN: TypeRule(
        "The customer's consent, as it stands from now on, after some was taken back.", asks=("user_id",)
    ),
    EventType.IDENTITY: TypeRule("The session belongs to the user from now on.", asks=("user_id",)),
    EventType.CUSTOM: TypeRule("A type of the shop's own, with a schema of its own for `properties`.", needs=("custom_type",)),
}

NEEDS_ITEM = frozenset(kind for kind, rule in TYPE_RULES.items() if "item_id" in rule.needs)
"""Event types that are about one item and refused without it."""

NEEDS_QUERY = frozenset(kind for kind, rule in TYPE_RULES.items() if "query" in rule.needs)

TAKES_OFF = frozenset({EventType.RETURN, EventType.CANCELLATION})
"""Event types that take an earlier purchase back, in whole or in part: by item, by order, or by both."""

ABOUT_CONSENT = frozenset({EventType.CONSENT_GIVEN, EventType.CONSENT_WITHDRAWN})
"""Event types that are the record of a customer's decision, and keep whose it is whatever was decided."""
