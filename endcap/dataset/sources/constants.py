"""Constants of a mapping: one value for every row, in the type of its column."""

from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError

from endcap.contracts.tables import TABLES
from endcap.dataset.sources.files.source_files import text_of

KEY_COLUMNS = {"events": "event_id", "items": "item_id", "users": "user_id"}
"""Columns that name a row: no two rows have the same value."""

Constant = str | int | float | bool | list[str]


def canonical_constant(table: str, column: str, value: Constant) -> Any:
    """The value as the column holds it.

    Raises:
        ValueError: a sentence that says why no row can have it.
    """
    if column == KEY_COLUMNS.get(table):
        raise ValueError(f"constants.{column}: names each row and cannot be one value for all of them; give a source column")
    if column == "attributes":
        raise ValueError("constants.attributes: name the source columns in attributes")
    field = TABLES[table].model_fields[column]
    kind: Any = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
    is_text = "str" in str(field.annotation) and not isinstance(value, list)
    try:
        read = TypeAdapter(kind).validate_python(text_of(value) if is_text and not isinstance(value, bool) else value)
    except ValidationError as error:
        first = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise ValueError(f"constants.{column}: {value!r} cannot be its value: {first[0].lower()}{first[1:]}") from None
    return getattr(read, "value", read)
