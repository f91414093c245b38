"""Events by type, each with the fields that it needs; docs/tracking-plan.md says when a shop sends which.

A builder judges nothing: the collector does, and says what it refuses.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict, Unpack
from uuid import UUID

from endcap_client.event import Event


class Arm(TypedDict):
    """The variant of one experiment that a person was in."""

    experiment: str
    variant: str
    layer: str


class Occasion(TypedDict, total=False):
    """When and where it happened.

    An `event_id` of the shop's own, such as one made of order and line, makes an event that is built again the same one.
    """

    event_id: UUID
    occurred_at: datetime
    surface: str
    device: str
    channel: str
    store_id: str
    variant: str
    experiments: Sequence[Arm]


class Consented(Occasion, total=False):
    """What the customer allows; what is left out takes the collector's setting."""

    consent: bool
    consent_analytics: bool


class Circumstances(Consented, total=False):
    """And who it was, once they have logged in."""

    user_id: str | None


class Place(Circumstances, total=False):
    """Where an item stood in a list of endcap's: `request_id` of the answer, `position` from 1."""

    request_id: str
    position: int


class Line(Place, total=False):
    """What an item costs: a price per unit with its currency (ISO 4217), and what was taken off it."""

    unit_price: float
    unit_discount: float
    currency: str


class CartLine(Line, total=False):
    """How much of it: units, or weight."""

    quantity: float


class TakenOff(Line, total=False):
    """What of an order is taken back: an item, or all of it; without `quantity` the whole line."""

    item_id: str
    quantity: float


def page_view(session_id: str, **more: Unpack[Circumstances]) -> Event:
    """A page other than a product's was opened."""
    return Event("page_view", {"session_id": session_id, **more})


def product_view(session_id: str, item_id: str, **more: Unpack[Line]) -> Event:
    """An item's page was opened."""
    return Event("product_view", {"session_id": session_id, "item_id": item_id, **more})


def add_to_cart(session_id: str, item_id: str, **more: Unpack[CartLine]) -> Event:
    """An item was put into the cart."""
    return Event("add_to_cart", {"session_id": session_id, "item_id": item_id, **more})


def remove_from_cart(session_id: str, item_id: str, **more: Unpack[CartLine]) -> Event:
    """An item was taken out of the cart."""
    return Event("remove_from_cart", {"session_id": session_id, "item_id": item_id, **more})


def add_to_wish_list(session_id: str, item_id: str, **more: Unpack[Place]) -> Event:
    """An item was put on a wish list."""
    return Event("add_to_wish_list", {"session_id": session_id, "item_id": item_id, **more})


def remove_from_wish_list(session_id: str, item_id: str, **more: Unpack[Place]) -> Event:
    """An item was taken off a wish list."""
    return Event("remove_from_wish_list", {"session_id": session_id, "item_id": item_id, **more})


def purchase(session_id: str, item_id: str, quantity: float, order_id: str | None = None, **more: Unpack[Line]) -> Event:
    """An item was bought, an event a line of the order."""
    return Event("purchase", {"session_id": session_id, "item_id": item_id, "quantity": quantity, "order_id": order_id, **more})


def return_(session_id: str, order_id: str | None = None, **more: Unpack[TakenOff]) -> Event:
    """Something bought came back; names the item, the order, or both."""
    return Event("return", {"session_id": session_id, "order_id": order_id, **more})


def cancellation(session_id: str, order_id: str | None = None, **more: Unpack[TakenOff]) -> Event:
    """Something ordered was cancelled; names the item, the order, or both."""
    return Event("cancellation", {"session_id": session_id, "order_id": order_id, **more})


def rating(session_id: str, item_id: str, rating: float, **more: Unpack[Circumstances]) -> Event:
    """An item was rated, on the shop's own scale."""
    return Event("rating", {"session_id": session_id, "item_id": item_id, "rating": rating, **more})


def search(session_id: str, query: str, **more: Unpack[Circumstances]) -> Event:
    """A search was made."""
    return Event("search", {"session_id": session_id, "query": query, **more})


def search_result(session_id: str, item_id: str, query: str, **more: Unpack[Place]) -> Event:
    """A search result was shown, an event an item."""
    return Event("search_result", {"session_id": session_id, "item_id": item_id, "query": query, **more})


def filter_(session_id: str, query: str, **more: Unpack[Circumstances]) -> Event:
    """A list was narrowed; `query` has the filter."""
    return Event("filter", {"session_id": session_id, "query": query, **more})


def seen_impression(session_id: str, item_id: str, request_id: str, position: int, **more: Unpack[Circumstances]) -> Event:
    """A recommended item came into view."""
    return Event("seen_impression", {"session_id": session_id, "item_id": item_id, "request_id": request_id, "position": position, **more})


def click(session_id: str, item_id: str, **more: Unpack[Place]) -> Event:
    """An item of a list was clicked."""
    return Event("click", {"session_id": session_id, "item_id": item_id, **more})


def dwell(session_id: str, dwell_ms: int, item_id: str | None = None, **more: Unpack[Place]) -> Event:
    """Time was spent on a page, or on an item's, in milliseconds."""
    return Event("dwell", {"session_id": session_id, "dwell_ms": dwell_ms, "item_id": item_id, **more})


def mail_open(session_id: str, request_id: str | None = None, **more: Unpack[Circumstances]) -> Event:
    """A mail was opened; `request_id` is that of the list in it."""
    return Event("mail_open", {"session_id": session_id, "request_id": request_id, **more})


def consent_given(session_id: str, user_id: str, *, consent: bool, consent_analytics: bool, **more: Unpack[Occasion]) -> Event:
    """The customer's consent, as it stands from now on, after some was given."""
    return Event("consent_given", _decision(session_id, user_id, consent, consent_analytics, more))


def consent_withdrawn(session_id: str, user_id: str, *, consent: bool, consent_analytics: bool, **more: Unpack[Occasion]) -> Event:
    """The customer's consent, as it stands from now on, after some was taken back."""
    return Event("consent_withdrawn", _decision(session_id, user_id, consent, consent_analytics, more))


def identity(session_id: str, user_id: str, **more: Unpack[Consented]) -> Event:
    """The session belongs to the user from now on."""
    return Event("identity", {"session_id": session_id, "user_id": user_id, **more})


def custom(session_id: str, custom_type: str, properties: Mapping[str, Any], **more: Unpack[Circumstances]) -> Event:
    """A type of the shop's own, with a schema of its own for `properties`."""
    return Event("custom", {"session_id": session_id, "custom_type": custom_type, "properties": dict(properties), **more})


BUILDERS: Mapping[str, Callable[..., Event]] = {
    builder.__name__.rstrip("_"): builder
    for builder in (
        *(page_view, product_view, add_to_cart, remove_from_cart, add_to_wish_list, remove_from_wish_list, purchase, return_),
        *(cancellation, rating, search, search_result, filter_, seen_impression, click, dwell, mail_open),
        *(consent_given, consent_withdrawn, identity, custom),
    )
}
"""By the contract's name of the type: all but `impression`, which endcap writes itself."""


def _decision(session_id: str, user_id: str, consent: bool, consent_analytics: bool, more: Occasion) -> Mapping[str, Any]:
    return {"session_id": session_id, "user_id": user_id, "consent": consent, "consent_analytics": consent_analytics, **more}
