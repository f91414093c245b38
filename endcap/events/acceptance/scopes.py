"""What a key may send: a browser's is public; a shop's servers, its catalogue system and the transformer keep theirs."""

from enum import StrEnum

from endcap.contracts.event_type import EventType


class Scope(StrEnum):
    BROWSER = "browser"
    SERVER = "server"
    BACKFILL = "backfill"
    TRANSFORMER = "transformer"
    CATALOGUE = "catalogue"


_PUBLIC = frozenset(
    {
        EventType.PAGE_VIEW,
        EventType.PRODUCT_VIEW,
        EventType.ADD_TO_CART,
        EventType.REMOVE_FROM_CART,
        EventType.ADD_TO_WISH_LIST,
        EventType.REMOVE_FROM_WISH_LIST,
        EventType.SEARCH,
        EventType.SEARCH_RESULT,
        EventType.FILTER,
        EventType.SEEN_IMPRESSION,
        EventType.CLICK,
        EventType.DWELL,
        EventType.CUSTOM,
    }
)
_OWN = frozenset(EventType) - {EventType.IMPRESSION}

TYPES_OF_SCOPE = {
    Scope.BROWSER: _PUBLIC,
    Scope.SERVER: _OWN,
    Scope.BACKFILL: _OWN,
    Scope.TRANSFORMER: frozenset({EventType.IMPRESSION}),
    Scope.CATALOGUE: frozenset(),
}
"""Types by scope. A browser key sends those custom types only that say so; who served a list alone says what was served."""

CHANGES_ITEMS = frozenset({Scope.SERVER, Scope.CATALOGUE})
"""Scopes whose keys may change the catalogue; it is all that a catalogue key may."""
