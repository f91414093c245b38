"""Further files of a table in the mapping: what they add to its rows."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from endcap.dataset.sources.files.source_files import Name, SourceFiles

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


def _renamed(value: Any) -> Any:
    return {name: name for name in value} if isinstance(value, list) else value


class OrderMoments(BaseModel):
    """Moments of orders that are known only by their number and the days since the person's order before.

    They are counted back from `last_day`, on which everybody's last order is, or forward from `first_day`, that of everybody's first.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    name: Name = Field(alias="as", description="Name of the column that is made; map it to occurred_at.")
    person: Name = Field(description="Column of the customer.")
    number: Name = Field(description="Column of the order's number among the customer's, ascending.")
    days: Name = Field(description="Column of the days since the customer's order before; empty for the first.")
    hour: Name | None = Field(None, description="Column of the hour of the day, 0 to 23; without it orders are at 12:00.")
    weekday: Name | None = Field(
        None, description="Column of the day of the week, 0 to 6: a customer's orders move by up to six days, so that the end fits it."
    )
    week_starts: Weekday = Field("sunday", description="The day of the week that 0 stands for.")
    last_day: date | None = Field(None, description="The day of everybody's last order, with `weekday` the last of that week.")
    first_day: date | None = Field(None, description="The day of everybody's first order, with `weekday` the first of that week.")

    @model_validator(mode="after")
    def _one_end(self) -> "OrderMoments":
        if (self.last_day is None) == (self.first_day is None):
            raise ValueError("give either last_day or first_day, from which the days are counted")
        return self

    def source_columns(self) -> list[str]:
        return [self.person, self.number, self.days, *(name for name in (self.hour, self.weekday) if name)]


class Lookup(SourceFiles):
    """Files with more about what a column of the table names, such as products beside order lines."""

    on: Name = Field(description="Column of the table, or of a lookup before, that is looked up.")
    key: Name | None = Field(None, description="Column of these files that holds it; named like `on` unless given.")
    columns: Annotated[dict[Name, Name], BeforeValidator(_renamed)] = Field(
        default_factory=dict, description="Columns of these files that the table gets: a list, or {name in the table: column}."
    )
    moments: OrderMoments | None = Field(
        None, description="A further column: moments of orders of which only the days between are known; see below."
    )

    @property
    def key_column(self) -> str:
        return self.key or self.on

    def given(self) -> list[str]:
        """The columns that the table gets."""
        return [*self.columns, *([self.moments.name] if self.moments else [])]


class CategoryTree(SourceFiles):
    """Files in which every category names the one above it."""

    id: Name = Field(description="Column of the category's id, as category_path holds it.")
    parent: Name = Field(description="Column of the id of the category above; empty for the broadest.")
    name: Name | None = Field(None, description="Column of the category's name; its id stands in.")


class Properties(BaseModel):
    """What turns files with a property a row into one row for each id."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Name = Field(description="Column that the rows are about, mapped like any other.")
    name: Name = Field(description="Column with the property's name.")
    value: Name = Field(description="Column with its value.")
    at: Name | None = Field(
        None,
        description="Column of the moment since which it holds: the newest value not after the last event counts. Else the last row does.",
    )
    keep: list[Name] = Field(min_length=1, description="Properties that become columns, by their names.")
