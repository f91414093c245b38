"""The item-to-item table of any method that has one: what feeds the candidate source."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from endcap.algorithms.method import Fitted, HasItemVectors, HasNeighbours, Method
from endcap.algorithms.nearest_vectors import nearest_by_cosine
from endcap.algorithms.registry import METHODS, method_of
from endcap.core.errors import InvalidInput
from endcap.engine.retrieval.item_to_item import ItemToItem

DEFAULT_METHOD: Mapping[str, Any] = MappingProxyType({"method": "ease"})
"""What the table is made by when nothing else is said."""

WITHOUT_NEIGHBOURS = ("popular", "recent_popular", "own_most_bought", "own_decayed", "user_neighbours")
"""Methods that know nothing of one item beside another."""


def item_to_item_of(fitted: Fitted, count: int) -> ItemToItem:
    """The `count` nearest items of every item, by the method itself or by cosine of its vectors.

    Raises:
        InvalidInput: the method has neither.
    """
    if isinstance(fitted, HasNeighbours):
        return fitted.neighbours(count)
    if isinstance(fitted, HasItemVectors):
        return nearest_by_cosine(fitted.item_vectors(), count)
    raise InvalidInput("knows no neighbours of items", field="method", value=type(fitted).__name__, fix=_fix())


def neighbour_method(chosen: Mapping[str, Any], field: str = "item_to_item") -> Method:
    """The method that a setting names.

    Args:
        chosen: `method`, and the settings of the method that are not its defaults.
        field: the setting's name, for messages.

    Raises:
        InvalidInput: it names no method, one without neighbours, or settings that the method does not have.
    """
    overrides = dict(chosen)
    name = overrides.pop("method", None)
    if name is None or name not in METHODS or name in WITHOUT_NEIGHBOURS:
        raise InvalidInput("names no method that knows neighbours of items", field=f"{field}.method", value=name, fix=_fix())
    return method_of(str(name), overrides, field)


def _fix() -> str:
    return f"one of {', '.join(name for name in METHODS if name not in WITHOUT_NEIGHBOURS)}"
