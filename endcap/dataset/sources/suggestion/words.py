"""Usual words for types of events and for what a file holds, in values and in names of files."""

import re

KINDS: dict[str, tuple[str, ...]] = {
    "product_view": ("view", "views", "click", "clicks", "pv", "productview", "detail", "viewitem", "viewcontent", "productclick"),
    "add_to_cart": ("cart", "carts", "addtocart", "add", "basket", "addcart"),
    "remove_from_cart": ("removefromcart", "remove", "unfav"),
    "purchase": (
        *("purchase", "purchases", "buy", "buys", "order", "orders", "transaction", "transactions", "sale", "sales", "kauf", "bought"),
        "checkout",
    ),
    "search": ("search", "suche"),
    "page_view": ("pageview", "page"),
}
"""By type of event, without case and signs."""

HOLDS: dict[str, tuple[str, ...]] = {
    "items": ("items", "products", "articles", "movies", "books", "songs", "artists", "catalog", "catalogue", "artikel", "produkte"),
    "users": ("users", "customers", "people", "members", "visitors", "kunden"),
    "ratings": ("ratings", "rating", "reviews", "review"),
}
"""By what a file holds, words in its name."""


def kind_of(word: str) -> str | None:
    """The type of events that a value means."""
    plain = re.sub(r"[^a-z]", "", word.lower())
    return next((kind for kind, names in KINDS.items() if plain in names or plain == kind.replace("_", "")), None)


def kind_in_name(file: str) -> str | None:
    """The type of events that a file's name says, where it says one only."""
    kinds = {kind for word in _words(file) if (kind := kind_of(word))}
    return kinds.pop() if len(kinds) == 1 else None


def holds(file: str) -> str | None:
    """What a file holds by its name: items, users or ratings."""
    return next((what for word in _words(file) for what, names in HOLDS.items() if word in names), None)


def _words(file: str) -> list[str]:
    return re.findall(r"[a-z]+", file.lower().rsplit("/", 1)[-1])
