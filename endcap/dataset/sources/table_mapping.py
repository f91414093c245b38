"""One table of a mapping file: where each canonical column comes from."""

from enum import StrEnum
from typing import Annotated, Any, Self, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from endcap.contracts.tables import TABLES
from endcap.dataset.sources.columns.offsets import OffsetUnit
from endcap.dataset.sources.columns.value_format import ValueFormat
from endcap.dataset.sources.constants import KEY_COLUMNS, Constant, canonical_constant
from endcap.dataset.sources.files.source_files import Name, Names, SourceFiles, text_of
from endcap.dataset.sources.lookup_mapping import CategoryTree, Lookup, Properties

_FILLED_IN = {"events": {"event_id", "received_at"}, "items": {"category_path", "title"}}
"""Needed by the contracts but filled in by the import when not mapped."""

_NOT_IMPORTED = {"events": {"experiments"}}
"""Lists of records, which no column of a file is."""

_SEVERAL = ("session_id", "order_id", "occurred_at", "received_at", "created_at", "starts_at", "ends_at", "category_path")
"""Columns that may come from several source columns."""


class ColumnSource(BaseModel):
    """Where one column comes from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: Names = Field(
        alias="from",
        min_length=1,
        description="Source column; several make one moment (date and time, in `time_format` joined by a blank), one category path, or one "
        "visit or order.",
    )
    cut: int | None = Field(None, ge=1, description="Texts are cut after so many characters, paths after so many entries.")
    otherwise: Name | None = Field(None, alias="else", description="Source column that is taken where the first says nothing.")
    default: str | None = Field(None, min_length=1, description="Text that is taken where no source column says anything.")
    offset_unit: OffsetUnit | None = Field(
        None, description="Of a moment: the last source column is a number in this unit, counted from the moment that the others name."
    )

    def without_offset(self) -> Self:
        """The columns that the offset is counted from; all of them where there is none."""
        return self if self.offset_unit is None else self.model_copy(update={"columns": self.columns[:-1]})

    def source_columns(self) -> list[str]:
        return [*self.columns, *([self.otherwise] if self.otherwise else [])]


def _column_source(value: Any) -> Any:
    return value if isinstance(value, dict | ColumnSource) else {"from": value}


def _canonical_names(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {source: None if meant is None else text_of(meant) for source, meant in value.items()}


class ReturnedLines(BaseModel):
    """Which purchases of a table are returns in truth; their quantities and prices are taken without the sign."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    quantity_below: float | None = Field(None, description="Lines with a lower quantity, for example 0.")
    column: Name | None = Field(None, description="Source column that tells returns from purchases.")
    starts_with: Name | None = Field(None, description="How the texts of that column begin for returns, for example C.")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if (self.column is None) != (self.starts_with is None):
            raise ValueError("column and starts_with belong together")
        if self.column is None and self.quantity_below is None:
            raise ValueError("give quantity_below, or column and starts_with")
        return self


class TableMapping(ValueFormat, SourceFiles):
    """Files of one table."""

    columns: dict[str, Annotated[ColumnSource, BeforeValidator(_column_source)]] = Field(
        default_factory=dict, description="Canonical column: source column, or one of the forms below."
    )
    constants: dict[str, Constant] = Field(default_factory=dict, description="Canonical column: one value for every row.")
    values: dict[str, Annotated[dict[str, str | None], BeforeValidator(_canonical_names)]] = Field(
        default_factory=dict, description="Canonical column: {source value: canonical value}, for example of event_type."
    )
    attributes: list[Name] = Field(default_factory=list, description="Source columns kept together in `attributes`.")
    event_id_from: list[Name] = Field(
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
    where: str | None = Field(
        None, min_length=1, description="Condition on source columns, as in rules: only rows that fulfil it belong to the table."
    )
    line_total: Name | None = Field(None, description="Source column with the price of all units: unit_price is it by the quantity.")
    lookup: Annotated[list[Lookup], BeforeValidator(lambda value: value if isinstance(value, list) else [value])] = Field(
        default_factory=list, description="Further files with columns for these rows, one lookup after the other; see below."
    )
    properties: Properties | None = Field(None, description="For files with a property a row; see below.")
    category_tree: CategoryTree | None = Field(
        None, description="Files that name the category above each; the ids in category_path become paths. See below."
    )

    def source_columns(self) -> list[str]:
        """Every source column that the table is made from."""
        mapped = [name for column in self.columns.values() for name in column.source_columns()]
        total = [self.line_total] if self.line_total else []
        of_returns = [self.returns.column] if self.returns and self.returns.column else []
        looked_up = [lookup.on for lookup in self.lookup]
        return list(dict.fromkeys([*mapped, *total, *self.attributes, *self.event_id_from, *of_returns, *looked_up]))

    def file_columns(self) -> list[str]:
        """The source columns that the table's own files must have, and no lookup or property gives."""
        if self.properties is not None:
            found = self.properties
            return [found.id, found.name, found.value, *([found.at] if found.at else [])]
        given = {name for lookup in self.lookup for name in lookup.given()}
        return [name for name in self.source_columns() if name not in given]

    def names_events(self) -> bool:
        """Whether the files themselves name an event, so that two lines with its name are one event."""
        return bool(self.event_id_from) or "event_id" in self.columns

    def gives(self, column: str) -> bool:
        """Whether the mapping says where a canonical column comes from."""
        return column in self.columns or column in self.constants


def check_table(table: str, mapped: TableMapping) -> None:
    """Refuse what cannot be a mapping of this table.

    Raises:
        ValueError: a sentence that names the option.
    """
    fields = {name: field for name, field in TABLES[table].model_fields.items() if name not in _NOT_IMPORTED.get(table, set())}
    for part, names in (("columns", list(mapped.columns)), ("constants", list(mapped.constants)), ("values", list(mapped.values))):
        unknown = sorted(set(names) - set(fields))
        if unknown:
            raise ValueError(f"{part}: {', '.join(unknown)} unknown; the columns are {', '.join(fields)}")
    twice = sorted(set(mapped.columns) & set(mapped.constants))
    if twice:
        raise ValueError(f"{', '.join(twice)} in both columns and constants")
    if mapped.attributes and "attributes" not in fields:
        raise ValueError("attributes: this table has no attributes")
    if mapped.event_id_from and (table != "events" or "event_id" in mapped.columns):
        raise ValueError("event_id_from: only for events without an event_id column")
    if mapped.one_row_an_id and table != "items":
        raise ValueError("one_row_an_id: only items can be made from lines")
    if mapped.returns and table != "events":
        raise ValueError("returns: only events can be returns")
    needed = {name for name, field in fields.items() if field.is_required()} - _FILLED_IN.get(table, set())
    missing = sorted(needed - set(mapped.columns) - set(mapped.constants))
    if missing:
        raise ValueError(f"columns: {', '.join(missing)} missing; give a source column or a constant")
    for name, value in mapped.constants.items():
        canonical_constant(table, name, value)
    _check_forms(table, mapped)
    if mapped.line_total is not None and ("unit_price" not in fields or mapped.gives("unit_price")):
        raise ValueError("line_total: only for events without a unit_price of their own")
    if mapped.line_total is not None and not mapped.gives("quantity"):
        raise ValueError("line_total: needs the quantity by which it is divided")
    if mapped.category_tree is not None and "category_path" not in mapped.columns:
        raise ValueError("category_tree: needs category_path in columns, the category's id")


def _check_forms(table: str, mapped: TableMapping) -> None:
    for name, column in mapped.columns.items():
        if len(column.columns) > 1 and name not in _SEVERAL:
            raise ValueError(f"columns.{name}: comes from one source column; several are only for {', '.join(_SEVERAL)}")
        if column.offset_unit is not None and (len(column.columns) < 2 or not name.endswith("_at")):
            raise ValueError(f"columns.{name}.offset_unit: only for moments from two source columns or more")
        is_text = any(isinstance(kind, type) and issubclass(kind, str) for kind in _kinds(table, name))
        if column.cut is not None and not is_text and name != "category_path":
            raise ValueError(f"columns.{name}.cut: only texts and category_path can be cut")
        if column.cut is not None and (name == KEY_COLUMNS.get(table) or name.endswith("_id")):
            raise ValueError(f"columns.{name}.cut: an id that is cut may be another one's; map a shorter column")
        if column.default is not None and (not is_text or name.endswith("_id")):
            raise ValueError(f"columns.{name}.default: only for texts; use constants for a column that no file has")
    for name, meanings in mapped.values.items():
        if name not in mapped.columns:
            raise ValueError(f"values.{name}: the column is not in columns")
        for kind in _kinds(table, name):
            allowed = [member.value for member in kind] if isinstance(kind, type) and issubclass(kind, StrEnum) else None
            wrong = [meant for meant in meanings.values() if allowed and meant is not None and meant not in allowed]
            if wrong:
                raise ValueError(f"values.{name}: {wrong[0]} unknown; it must be one of {', '.join(allowed or ())}")


def _kinds(table: str, column: str) -> tuple[Any, ...]:
    annotation = TABLES[table].model_fields[column].annotation
    return get_args(annotation) or (annotation,)
