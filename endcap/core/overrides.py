"""Values that somebody gives by name over a model's defaults."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from endcap.core.errors import InvalidInput

Model = TypeVar("Model", bound=BaseModel)


def overridden(model: type[Model], overrides: Mapping[str, Any], field: str) -> Model:
    """The model's defaults with some values replaced.

    Args:
        model: the kind of settings.
        overrides: by name.
        field: what the overrides are called where they are given, for messages.

    Raises:
        InvalidInput: a name is unknown or a value is not allowed.
    """
    try:
        return model(**overrides)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise InvalidInput(first["msg"], field=f"{field}.{name}", value=first.get("input")) from error
