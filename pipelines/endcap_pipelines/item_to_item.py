"""The pipeline's parameter item_to_item: which method makes the table, checked before a run starts."""

import json
from collections.abc import Mapping
from typing import Any

from endcap.algorithms.neighbour_source import DEFAULT_METHOD, neighbour_method
from endcap.core.errors import InvalidInput


def chosen_method(text: str | None) -> dict[str, Any]:
    """The parameter from what stands on a command line: the name of a method, or JSON with its settings; None for the default.

    Raises:
        InvalidInput: it is not readable, or names no method with neighbours, or settings that the method does not have.
    """
    if text is None:
        return dict(DEFAULT_METHOD)
    chosen: Any = {"method": text}
    if text.lstrip().startswith("{"):
        try:
            chosen = json.loads(text)
        except ValueError as error:
            raise InvalidInput("is no JSON", field="--item-to-item", value=text, fix='for example {"method": "ease"}') from error
    neighbour_method(chosen, "--item-to-item")
    return dict(chosen)


def check_item_to_item(parameters: Mapping[str, Any]) -> None:
    """Refuse parameters of a run whose table could not be made.

    Raises:
        InvalidInput: as of `chosen_method`.
    """
    chosen = parameters.get("item_to_item", DEFAULT_METHOD)
    if not isinstance(chosen, Mapping):
        raise InvalidInput("is no object", field="item_to_item", value=chosen, fix='for example {"method": "ease"}')
    neighbour_method(chosen)
