"""All algorithms by the names that settings use, and which of them can make the item-to-item table."""

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, ValidationError

from endcap.algorithms.algorithm import Algorithm, Fitted, HasItemVectors, HasNeighbours
from endcap.algorithms.neighbour_tables import nearest_by_cosine
from endcap.core.errors import InvalidInput
from endcap.engine.retrieval.item_to_item import ItemToItem

ALGORITHMS: Mapping[str, str] = {
    "popular": "popularity.Popular",
    "recent_popular": "popularity.RecentPopular",
    "own_most_bought": "own_items.OwnMostBought",
    "own_decayed": "own_items.OwnDecayed",
    "item_to_item_cosine": "item_to_item.ItemToItemCosine",
    "item_to_item_lift": "item_to_item.ItemToItemLift",
    "item_to_item_recent": "item_to_item.ItemToItemRecent",
    "user_neighbours": "user_neighbours.UserNeighbours",
    "als": "als.Als",
    "bpr": "bpr.Bpr",
    "svd": "decomposition.Svd",
    "nmf": "decomposition.Nmf",
    "ease": "ease.Ease",
    "content": "content.Content",
    "text": "text.Text",
    "image": "image.Image",
    "graph": "graph.Graph",
    "ncf": "ncf.Ncf",
    "session_item_to_item": "sessions.item_to_item.SessionItemToItem",
    "v_sknn": "sessions.v_sknn.VSknn",
    "association_rules": "sessions.association_rules.AssociationRules",
}
"""By name, module and class; a module is imported when its algorithm is named."""

AUTO = "auto"
DEFAULT_ALGORITHM: Mapping[str, Any] = MappingProxyType({"method": AUTO})
"""What the item-to-item table is made by when nothing else is said: EASE, and cosine where EASE has a table of its own."""

WITHOUT_NEIGHBOURS = ("popular", "recent_popular", "own_most_bought", "own_decayed", "user_neighbours", "v_sknn")
"""Algorithms that know nothing of one item beside another."""


def settings_of(name: str, field: str = "algorithm") -> type[BaseModel]:
    """The class of an algorithm.

    Args:
        name: one of ALGORITHMS.
        field: where the name stands, for the message.

    Raises:
        InvalidInput: no algorithm has this name.
    """
    if name not in ALGORITHMS:
        raise InvalidInput("no such algorithm", field=field, value=name, fix=f"one of {', '.join(ALGORITHMS)}")
    module, _, class_name = ALGORITHMS[name].rpartition(".")
    found: type[BaseModel] = getattr(import_module(f"endcap.algorithms.{module}"), class_name)
    return found


def algorithm_of(name: str, overrides: Mapping[str, Any] | None = None, field: str = "algorithm") -> Algorithm:
    """An algorithm with its defaults, but for some settings.

    Args:
        name: one of ALGORITHMS.
        overrides: by setting.
        field: where the name stands, for the message.

    Raises:
        InvalidInput: no algorithm has this name, or it has no such setting or value.
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
    checked: Algorithm = made
    return checked


def item_to_item_of(fitted: Fitted, count: int) -> ItemToItem:
    """The `count` nearest items of every item, by the algorithm itself or by cosine of its vectors.

    Raises:
        InvalidInput: the algorithm has neither.
    """
    if isinstance(fitted, HasNeighbours):
        return fitted.neighbours(count)
    if isinstance(fitted, HasItemVectors):
        return nearest_by_cosine(fitted.item_vectors(), count)
    raise InvalidInput("knows no neighbours of items", field="algorithm", value=type(fitted).__name__, fix=_fix())


def neighbour_algorithm(chosen: Mapping[str, Any], field: str = "item_to_item", *, beside_ease: bool = False) -> Algorithm:
    """The algorithm that a setting names.

    Args:
        chosen: `method`, and the settings of the algorithm that are not its defaults; without settings the method may be AUTO.
        field: the setting's name, for messages.
        beside_ease: whether EASE has a table of its own, so that a second one by it would say nothing new.

    Raises:
        InvalidInput: it names no algorithm, one without neighbours, or settings that the algorithm does not have.
    """
    overrides = dict(chosen)
    name = overrides.pop("method", None)
    if name == AUTO and not overrides:
        name = "item_to_item_cosine" if beside_ease else "ease"
    if name is None or name not in ALGORITHMS or name in WITHOUT_NEIGHBOURS:
        raise InvalidInput("names no algorithm that knows neighbours of items", field=f"{field}.method", value=name, fix=_fix())
    return algorithm_of(str(name), overrides, field)


def _fix() -> str:
    return f"one of {', '.join(name for name in ALGORITHMS if name not in WITHOUT_NEIGHBOURS)}, or {AUTO} without settings"
