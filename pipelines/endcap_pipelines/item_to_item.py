"""The pipeline's parameter item_to_item: which algorithm makes the table, checked before a run starts."""

import json
from collections.abc import Mapping
from typing import Any

from endcap.algorithms.registry import DEFAULT_ALGORITHM, neighbour_algorithm
from endcap.core.errors import InvalidInput


def chosen_algorithm(text: str | None) -> dict[str, Any]:
    """The parameter from what stands on a command line: the name of an algorithm, or JSON with its settings; None for the default.

    Raises:
        InvalidInput: it is not readable, or names no algorithm with neighbours, or settings that the algorithm does not have.
    """
    if text is None:
        return dict(DEFAULT_ALGORITHM)
    chosen: Any = {"method": text}
    if text.lstrip().startswith("{"):
        try:
            chosen = json.loads(text)
        except ValueError as error:
            raise InvalidInput("is no JSON", field="--item-to-item", value=text, fix='for example {"method": "ease"}') from error
    neighbour_algorithm(chosen, "--item-to-item")
    return dict(chosen)


def check_item_to_item(parameters: Mapping[str, Any]) -> None:
    """Refuse parameters of a run whose table could not be made.

    Raises:
        InvalidInput: as of `chosen_algorithm`.
    """
    chosen = parameters.get("item_to_item", DEFAULT_ALGORITHM)
    if not isinstance(chosen, Mapping):
        raise InvalidInput("is no object", field="item_to_item", value=chosen, fix='for example {"method": "ease"}')
    neighbour_algorithm(chosen)
