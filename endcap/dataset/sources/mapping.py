"""The mapping file: how the columns of a user's own files become the canonical tables."""

from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from endcap.contracts.tables import REQUIRED_TABLES, TABLES
from endcap.core.errors import InvalidInput

_NEEDLESS = {"event_id", "received_at", "category_path"}
"""Required by the contracts but filled in by the import when not mapped."""


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"{name!r} is no IANA time zone; write it like Europe/Berlin or America/New_York")
    return name


ZoneName = Annotated[str, Field(description="IANA name of the zone of times that carry none, for example Europe/Berlin.")]


class ReturnedLines(BaseModel):
    """Which purchases of a table are returns in truth; their quantities and prices are taken without the sign."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    quantity_below: float | None = Field(None, description="Lines with a lower quantity, for example 0.")
    column: str | None = Field(None, description="Source column that tells returns from purchases.")
    starts_with: str | None = Field(None, min_length=1, description="How the texts of that column begin for returns, for example C.")

    @model_validator(mode="after")
    def _says_something(self) -> "ReturnedLines":
        if (self.column is None) != (self.starts_with is None):
            raise ValueError("column and starts_with belong together")
        if self.column is None and self.quantity_below is None:
            raise ValueError("give quantity_below, or column and starts_with")
        return self


class TableMapping(BaseModel):
    """One table: its files, and where each canonical column comes from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    files: Annotated[list[str], BeforeValidator(lambda value: [value] if isinstance(value, str) else value)] = Field(
        min_length=1, description="File names or patterns such as orders/*.csv, seen from the imported folder."
    )
    columns: dict[str, str] = Field(default_factory=dict, description="Canonical column: source column.")
    constants: dict[str, str | int | float | bool] = Field(default_factory=dict, description="Canonical column: one value for every row.")
    values: dict[str, dict[str, str]] = Field(
        default_factory=dict, description="Canonical column: {source value: canonical value}, for example of event_type."
    )
    attributes: list[str] = Field(default_factory=list, description="Source columns kept together in `attributes`.")
    event_id_from: list[str] = Field(
        default_factory=list,
        description="Source columns that together name an event, when there is no UUID column. With neither, the row's place names it, and "
        "equal rows are different events.",
    )
    one_row_an_id: bool = Field(
        False,
        description="For items from lines of orders: one row an id, with the newest good title and price and the most frequent brand and "
        "category. Newest by `created_at` where it is mapped, whose earliest stays, else by the order of the lines.",
    )
    returns: ReturnedLines | None = Field(
        None,
        description="Purchases that are returns: {quantity_below: 0}, {column: Invoice, starts_with: C}, or both; no sign is kept.",
    )
    time_zone: ZoneName | None = Field(None, description="As above, for this table only.")
    time_format: str | None = Field(None, description="strptime format of times that are not ISO 8601, for example %d.%m.%Y %H:%M.")
    epoch_unit: Literal["s", "ms", "us"] | None = Field(None, description="Unit of times that are numbers since 1970.")
    list_separator: str = Field(" > ", min_length=1, description="Between the entries of category_path.")
    delimiter: str = Field(",", min_length=1, max_length=1, description="Between the columns of a CSV file.")
    decimal_comma: bool = Field(False, description="Whether numbers are written like 1.234,50.")
    encoding: str = Field("utf-8", description="Text encoding of CSV files.")
    null_values: list[str] = Field(default_factory=lambda: [""], description="Texts that stand for no value.")

    @field_validator("time_zone")
    @classmethod
    def _zone_exists(cls, name: str | None) -> str | None:
        return None if name is None else _known_zone(name)

    def names_events(self) -> bool:
        """Whether the files themselves name an event, so that two lines with its name are one event."""
        return bool(self.event_id_from) or "event_id" in self.columns

    def source_columns(self) -> list[str]:
        """Every column that a source file must have."""
        named = [self.returns.column] if self.returns and self.returns.column else []
        return list(dict.fromkeys([*self.columns.values(), *self.attributes, *self.event_id_from, *named]))


class Mapping(BaseModel):
    """A whole mapping file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str = Field("folder", min_length=1, description="A name for where the data comes from.")
    currency: str | None = Field(None, pattern=r"^[A-Z]{3}$", description="ISO 4217 code of prices without a currency column.")
    time_zone: ZoneName | None = Field(None, description="Zone of times that carry none; without it such rows are refused.")
    tables: dict[str, TableMapping]

    @field_validator("time_zone")
    @classmethod
    def _zone_exists(cls, name: str | None) -> str | None:
        return None if name is None else _known_zone(name)

    @model_validator(mode="after")
    def _tables_are_complete(self) -> "Mapping":
        unknown = sorted(set(self.tables) - set(TABLES))
        if unknown:
            raise ValueError(f"tables: {', '.join(unknown)} unknown; the tables are {', '.join(TABLES)}")
        missing = [table for table in REQUIRED_TABLES if table not in self.tables]
        if missing:
            raise ValueError(f"tables: {', '.join(missing)} missing")
        for table, mapped in self.tables.items():
            _check_columns(table, mapped)
        return self

    def for_table(self, table: str) -> TableMapping:
        """A table's mapping with the zone of the whole file where it names none itself."""
        mapped = self.tables[table]
        return mapped if mapped.time_zone else mapped.model_copy(update={"time_zone": self.time_zone})


def load_mapping(file: Path) -> Mapping:
    """Read and check a mapping file.

    Raises:
        InvalidInput: the file is missing, is no YAML, or a field is unknown, missing or wrong; the message names the field.
    """
    try:
        content: Any = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InvalidInput("the mapping file is missing", field=str(file), fix="see docs/data.md for an example") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InvalidInput(f"not readable as YAML ({' '.join(str(error).split())})", field=str(file)) from error
    try:
        return Mapping.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InvalidInput(
            first["msg"].removeprefix("Value error, "),
            field=f"{file.name}: {place}" if place else file.name,
            value=first["input"] if isinstance(first["input"], str | int | float) else None,
            fix="see docs/data.md for an example",
        ) from error


def _check_columns(table: str, mapped: TableMapping) -> None:
    fields = TABLES[table].model_fields
    for part, names in (("columns", list(mapped.columns)), ("constants", list(mapped.constants)), ("values", list(mapped.values))):
        unknown = sorted(set(names) - set(fields))
        if unknown:
            raise ValueError(f"tables.{table}.{part}: {', '.join(unknown)} unknown; the columns are {', '.join(fields)}")
    twice = sorted(set(mapped.columns) & set(mapped.constants))
    if twice:
        raise ValueError(f"tables.{table}: {', '.join(twice)} in both columns and constants")
    if mapped.attributes and "attributes" not in fields:
        raise ValueError(f"tables.{table}.attributes: this table has no attributes")
    if mapped.event_id_from and (table != "events" or "event_id" in mapped.columns):
        raise ValueError(f"tables.{table}.event_id_from: only for events without an event_id column")
    if mapped.one_row_an_id and table != "items":
        raise ValueError(f"tables.{table}.one_row_an_id: only items can be made from lines")
    if mapped.returns and table != "events":
        raise ValueError(f"tables.{table}.returns: only events can be returns")
    needed = {name for name, field in fields.items() if field.is_required()} - _NEEDLESS
    missing = sorted(needed - set(mapped.columns) - set(mapped.constants))
    if missing:
        raise ValueError(f"tables.{table}.columns: {', '.join(missing)} missing; give a source column or a constant")
