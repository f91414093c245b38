"""Parquet schemas derived from the contracts, so that a table and its contract cannot drift apart."""

import types
import typing
from datetime import datetime
from enum import StrEnum
from typing import Any, get_args, get_origin
from uuid import UUID

import pyarrow as pa
from pydantic import BaseModel

from endcap.contracts.event import Event
from endcap.contracts.item import Item
from endcap.contracts.promotion import Promotion
from endcap.contracts.user import User

TABLES: dict[str, type[BaseModel]] = {"events": Event, "items": Item, "users": User, "promotions": Promotion}
"""The tables of a canonical dataset, each one Parquet file named after its key."""

ADDED_COLUMNS: dict[str, tuple[str, ...]] = {"events": ("consent_analytics",)}
"""By table, columns that may have no nulls and that datasets from before lack; the contract's default holds for their rows."""

REQUIRED_TABLES = ("events", "items")

UTC_TIMESTAMP = pa.timestamp("us", tz="UTC")

_SCALARS: dict[type, pa.DataType] = {
    str: pa.string(),
    bool: pa.bool_(),
    int: pa.int64(),
    float: pa.float64(),
    datetime: UTC_TIMESTAMP,
    UUID: pa.string(),
}


def added_defaults(table: str) -> dict[str, Any]:
    """Value by name of a table's `ADDED_COLUMNS`, for rows from before."""
    return {name: TABLES[table].model_fields[name].default for name in ADDED_COLUMNS.get(table, ())}


def arrow_schema(contract: type[BaseModel]) -> pa.Schema:
    """The Parquet schema of a contract: a column a field, its description in the column's metadata.

    Dictionaries become JSON text; UUIDs and enumerations become text.

    Raises:
        TypeError: a field's type has no column type.
    """
    return pa.schema(
        [
            pa.field(
                name,
                _arrow_type(field.annotation),
                nullable=_is_optional(field.annotation),
                metadata={"description": field.description or ""},
            )
            for name, field in contract.model_fields.items()
        ],
        metadata={"contract": contract.__name__},
    )


def _is_optional(annotation: Any) -> bool:
    return get_origin(annotation) in (typing.Union, types.UnionType) and type(None) in get_args(annotation)


def _arrow_type(annotation: Any) -> pa.DataType:
    if _is_optional(annotation):
        annotation = next(part for part in get_args(annotation) if part is not type(None))
    origin = get_origin(annotation)
    if origin is typing.Annotated:
        return _arrow_type(get_args(annotation)[0])
    if origin is typing.Literal:
        return _arrow_type(type(get_args(annotation)[0]))
    if origin is list:
        return pa.list_(_arrow_type(get_args(annotation)[0]))
    if origin is dict:
        return pa.string()
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return pa.string()
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    raise TypeError(f"no column type for {annotation!r}; add it to endcap/contracts/tables.py")
