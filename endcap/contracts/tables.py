"""Users and promotions, and the Parquet schemas derived from all contracts, so that a table and its contract cannot drift apart."""

import types
import typing
from datetime import datetime
from enum import StrEnum
from typing import Any, get_args, get_origin
from uuid import UUID

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from endcap.contracts.event import Event
from endcap.contracts.item import Item
from endcap.contracts.moment import UtcMoment


class User(BaseModel):
    """One customer or household. Every field but the id is optional; bands, never birthdays."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    user_id: str = Field(min_length=1, max_length=128, description="The customer or household.")
    created_at: UtcMoment | None = Field(None, description="When the account was made, UTC.")
    region: str | None = Field(None, max_length=64, description="Region for regional popularity and eligibility.")
    age_band: str | None = Field(None, max_length=32, description="Age as a band, for example 35-44.")
    income_band: str | None = Field(None, max_length=32, description="Income as a band.")
    household_size: str | None = Field(None, max_length=32, description="People in the household, for example 2 or 5+.")
    household_composition: str | None = Field(None, max_length=64, description="For example 2 Adults Kids.")
    attributes: dict[str, str] = Field(default_factory=dict, description="Anything else, as text; stored as a JSON object.")


class Promotion(BaseModel):
    """One item's promotion in one shop, or in all of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    item_id: str = Field(min_length=1, max_length=128, description="The promoted item.")
    store_id: str | None = Field(None, max_length=64, description="The shop; empty for every shop.")
    starts_at: UtcMoment = Field(description="First instant of the promotion, UTC.")
    ends_at: UtcMoment = Field(description="First instant after it, UTC.")
    display: str | None = Field(None, max_length=64, description="Display in the shop: front, end cap, aisle, ...; empty for none.")
    mailer: str | None = Field(None, max_length=64, description="Place in the mailer; empty for none.")


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

    Dictionaries become JSON text; UUIDs and enumerations become text; a model within a list becomes a struct.

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
    found = _type_of_class(annotation) if isinstance(annotation, type) else None
    if found is None:
        raise TypeError(f"no column type for {annotation!r}; add it to endcap/contracts/tables.py")
    return found


def _type_of_class(annotation: type) -> pa.DataType | None:
    if issubclass(annotation, StrEnum):
        return pa.string()
    if issubclass(annotation, BaseModel):
        return pa.struct([pa.field(name, _arrow_type(field.annotation)) for name, field in annotation.model_fields.items()])
    return _SCALARS.get(annotation)
