"""All methods by the names that settings use."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from pydantic import BaseModel, ValidationError

from endcap.algorithms.method import Method
from endcap.core.errors import InvalidInput

METHODS: Mapping[str, str] = {
    "popular": "Popular",
    "recent_popular": "RecentPopular",
    "own_most_bought": "OwnMostBought",
    "own_decayed": "OwnDecayed",
    "item_to_item_cosine": "ItemToItemCosine",
    "item_to_item_lift": "ItemToItemLift",
    "item_to_item_recent": "ItemToItemRecent",
    "user_neighbours": "UserNeighbours",
    "als": "Als",
    "bpr": "Bpr",
    "svd": "Svd",
    "nmf": "Nmf",
    "ease": "Ease",
    "content": "Content",
    "text": "Text",
    "image": "Image",
    "graph": "Graph",
    "ncf": "Ncf",
}
"""By name, the class in the file of that name; a file is read when its method is asked for."""


def settings_of(name: str, field: str = "method") -> type[BaseModel]:
    """The class of a method.

    Args:
        name: one of METHODS.
        field: where the name stands, for the message.

    Raises:
        InvalidInput: no method has this name.
    """
    if name not in METHODS:
        raise InvalidInput("no such method", field=field, value=name, fix=f"one of {', '.join(METHODS)}")
    found: type[BaseModel] = getattr(import_module(f"endcap.algorithms.{name}"), METHODS[name])
    return found


def method_of(name: str, overrides: Mapping[str, Any] | None = None, field: str = "method") -> Method:
    """A method with its defaults, but for some settings.

    Args:
        name: one of METHODS.
        overrides: by setting.
        field: where the name stands, for the message.

    Raises:
        InvalidInput: no method has this name, or it has no such setting or value.
    """
    settings = settings_of(name, field)
    try:
        made: Any = settings(**dict(overrides or {}))
    except ValidationError as error:
        first = error.errors()[0]
        setting = ".".join(str(part) for part in first["loc"])
        known = ", ".join(settings.model_fields) or "none"
        raise InvalidInput(
            first["msg"].lower(), field=f"{field} {name}: {setting}", value=first.get("input"), fix=f"its settings are {known}"
        ) from error
    checked: Method = made
    return checked
