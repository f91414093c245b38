"""The mapping file: how the columns of a user's own files become the canonical tables."""

from datetime import date
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from endcap.contracts.tables import REQUIRED_TABLES, TABLES
from endcap.core.errors import InvalidInput
from endcap.core.yaml_document import YamlDocument, read_yaml
from endcap.dataset.sources.columns.value_format import ZoneName
from endcap.dataset.sources.table_mapping import TableMapping, check_table

_SEE = "see docs/data.md for an example"


class Mapping(BaseModel):
    """A whole mapping file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str = Field("folder", min_length=1, description="A name for where the data comes from.")
    currency: str | None = Field(None, pattern=r"^[A-Z]{3}$", description="ISO 4217 code of prices without a currency column.")
    time_zone: ZoneName | None = Field(None, description="Zone of times that carry none; without it such rows are refused.")
    earliest: date | None = Field(None, description="First plausible day of events, 1990-01-01 unless given; rows before are refused.")
    latest: date | None = Field(None, description="Last plausible day of events, the day after the import unless given.")
    tables: dict[str, Annotated[list[TableMapping], BeforeValidator(lambda value: value if isinstance(value, list) else [value])]]

    @model_validator(mode="after")
    def _tables_are_complete(self) -> "Mapping":
        unknown = sorted(set(self.tables) - set(TABLES))
        if unknown:
            raise ValueError(f"tables: {', '.join(unknown)} unknown; the tables are {', '.join(TABLES)}")
        missing = [table for table in REQUIRED_TABLES if not self.tables.get(table)]
        if missing:
            raise ValueError(f"tables: {', '.join(missing)} missing")
        for table, parts in self.tables.items():
            for number, mapped in enumerate(parts):
                try:
                    check_table(table, mapped)
                except ValueError as error:
                    place = f"{table}.{number}" if len(parts) > 1 else table
                    raise ValueError(f"tables.{place}.{error}" if ":" in str(error) else f"tables.{place}: {error}") from None
        return self

    def for_table(self, table: str) -> list[TableMapping]:
        """A table's mappings with what the whole file says where they say nothing themselves."""
        return [
            mapped.model_copy(
                update={name: getattr(self, name) for name in ("time_zone", "earliest", "latest") if getattr(mapped, name) is None}
            )
            for mapped in self.tables[table]
        ]


def load_mapping(file: Path) -> Mapping:
    """Read and check a mapping file.

    Raises:
        InvalidInput: the file is missing, is no YAML, or a field is unknown, missing or wrong; the message names the field and its line.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, IsADirectoryError) as error:
        raise InvalidInput("the mapping file is missing", field=str(file), fix=_SEE) from error
    except UnicodeDecodeError as error:
        raise InvalidInput("the mapping file is no UTF-8 text", field=str(file), fix="save it as UTF-8") from error
    document = read_yaml(text, file.name)
    if not isinstance(document.value, dict):
        raise InvalidInput("the mapping file holds no options", field=file.name, fix=f"begin with source: and tables:; {_SEE}")
    try:
        return Mapping.model_validate(document.value)
    except ValidationError as error:
        raise _refused(error, document, file.name) from None


def _refused(error: ValidationError, document: YamlDocument, name: str) -> InvalidInput:
    first = error.errors()[0]
    place = _place(first["loc"], document.value)
    line = document.line(place) if place else None
    return InvalidInput(
        first["msg"].removeprefix("Value error, "),
        field=f"{name}{f', line {line}' if line else ''}: {'.'.join(str(part) for part in place)}" if place else name,
        value=first["input"] if isinstance(first["input"], str | int | float) else None,
        fix=_SEE,
    )


def _place(location: tuple[str | int, ...], written: Any) -> tuple[str | int, ...]:
    """Where a field stands in the file: without the list that a single mapping or name was put into, and without names of types."""
    place: list[str | int] = []
    for part in location:
        entries: dict[str | int, Any] = dict(enumerate(written)) if isinstance(written, list) else written
        if isinstance(entries, dict) and part in entries:
            written = entries[part]
        elif isinstance(part, int) or not isinstance(written, dict):
            continue
        else:
            written = None
        place.append(part)
    return tuple(place)
