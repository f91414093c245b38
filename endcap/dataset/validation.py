"""Row checks in columns: pandera schemas derived from the contracts, so that a table's row is judged as the contract judges one record."""

import operator
import types
import typing
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any, Literal, get_args, get_origin
from uuid import UUID

import annotated_types
import duckdb
import pandera.polars as pa
import polars as pl
from pandera.api.polars.types import PolarsData
from pandera.errors import SchemaErrors
from pydantic import AfterValidator, BaseModel
from pydantic.fields import FieldInfo

from endcap.contracts.amount import AMOUNT_MAX, require_amount
from endcap.contracts.event import TAKES_OFF, TYPE_RULES
from endcap.contracts.moment import require_utc
from endcap.contracts.tables import TABLES, arrow_schema
from endcap.dataset.sources.source import PROBLEM_SCHEMA


def are_text_objects(texts: pl.Series) -> pl.Series:
    """Whether each text is a JSON object of texts, as Boolean; null stays null. DuckDB parses the distinct texts, all at once."""
    distinct = texts.unique().to_frame("text")
    with duckdb.connect() as connection:
        connection.register("texts", distinct.to_arrow())
        judged = pl.DataFrame(
            connection.sql(
                """
                SELECT text, CASE WHEN text IS NULL THEN NULL WHEN NOT json_valid(text) THEN false
                    ELSE json_type(text) = 'OBJECT' AND NOT list_contains(
                        list_transform(json_extract(text, '$.*'), lambda value: json_type(value) = 'VARCHAR'), false) END AS good
                FROM texts
                """
            ).to_arrow_table()
        )
    return texts.to_frame("text").join(judged, on="text", how="left", maintain_order="left", nulls_equal=True)["good"]


UUID_TEXT = r"^(?:(?:urn:uuid:)?{h}{{8}}(?:-{h}{{4}}){{3}}-{h}{{12}}|\{{{h}{{8}}(?:-{h}{{4}}){{3}}-{h}{{12}}\}}|{h}{{32}})$".format(
    h="[0-9a-fA-F]"
)
_MISSING = "missing"


def table_schema(table: str, known_items: pl.Series | None = None) -> pa.DataFrameSchema:
    """The checks of one table.

    Args:
        table: a key of `endcap.contracts.tables.TABLES`.
        known_items: ids of the catalogue (String); a row about any other item is refused. None leaves that check out.

    Raises:
        TypeError: the contract has a constraint with no check here.
    """
    contract = TABLES[table]
    arrow = arrow_schema(contract)
    frame = pl.DataFrame(arrow.empty_table())
    across = _event_checks() if table == "events" else {}
    if known_items is not None and "item_id" in contract.model_fields and table != "items":
        across.setdefault("item_id", []).append(
            _check(lambda column: column.is_null() | column.is_in(known_items.implode()), "not in the table items")
        )
    return pa.DataFrameSchema(
        {
            name: pa.Column(
                frame.schema[name],
                checks=[*_field_checks(name, field), *across.get(name, [])],
                nullable=arrow.field(name).nullable,
            )
            for name, field in contract.model_fields.items()
        },
        strict=True,
    )


def find_problems(frame: pl.DataFrame, schema: pa.DataFrameSchema) -> pl.DataFrame:
    """Every problem of every row, as `PROBLEM_SCHEMA`; empty when all rows are good.

    Args:
        frame: rows with the table's columns in their contract types.
    """
    try:
        schema.validate(frame, lazy=True)
    except SchemaErrors as errors:
        cases: pl.DataFrame = errors.failure_cases
        return cases.select(
            pl.col("index").cast(pl.UInt32).alias("place"),
            pl.col("column").cast(pl.String),
            pl.col("check").cast(pl.String).replace("not_nullable", _MISSING).alias("reason"),
        ).unique(maintain_order=True)
    return pl.DataFrame(schema=PROBLEM_SCHEMA)


def describe_checks(table: str) -> dict[str, list[str]]:
    """What each column of a table must be, in words, as its refused rows are told."""
    return {name: [check.error for check in column.checks] for name, column in table_schema(table).columns.items()}


def _check(verdict: Callable[[pl.Expr], pl.Expr], reason: str) -> pa.Check:
    def run(data: PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(verdict(pl.col(data.key)).fill_null(True))

    return pa.Check(run, error=reason, name=reason, ignore_na=False)


def _field_checks(name: str, field: FieldInfo) -> Iterator[pa.Check]:
    kind, constraints = _unwrapped(field.annotation)
    if kind is UUID:
        yield _check(lambda column: column.str.contains(UUID_TEXT), "must be a UUID")
    elif get_origin(kind) is Literal:
        yield _one_of(get_args(kind))
    elif isinstance(kind, type) and issubclass(kind, StrEnum):
        yield _one_of([member.value for member in kind])
    elif get_origin(kind) is list:
        yield _check(lambda column: column.list.drop_nulls().list.len() == column.list.len(), "must have no empty entries")
        yield from _entry_checks(get_args(kind)[0])
    elif get_origin(kind) is dict:
        yield _check(_is_text_object, "must be a JSON object of texts")
    for constraint in [*constraints, *field.metadata]:
        yield from _constraint_checks(name, kind, constraint)


def _entry_checks(kind: Any) -> Iterator[pa.Check]:
    """Entries that are records of texts, all of which must be there.

    Raises:
        TypeError: the record has a field that is more than a text.
    """
    if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return
    for name, field in kind.model_fields.items():
        if field.annotation is not str or field.metadata:
            raise TypeError(f"{kind.__name__}.{name}: no check for it; add it to endcap/dataset/validation.py")
        present = pl.element().is_null() | pl.element().struct.field(name).is_not_null()
        yield _check(lambda column, present=present: column.list.eval(present).list.all(), f"must have {name} in every entry")  # type: ignore[misc]


def _constraint_checks(name: str, kind: Any, constraint: Any) -> Iterator[pa.Check]:
    match constraint:
        case annotated_types.Gt():
            yield _bound_check(operator.gt, constraint.gt, "must be above {}")
        case annotated_types.Ge():
            yield _bound_check(operator.ge, constraint.ge, "must be {} or more")
        case annotated_types.Lt():
            yield _bound_check(operator.lt, constraint.lt, "must be below {}")
        case annotated_types.Le():
            yield _bound_check(operator.le, constraint.le, "must be {} or less")
        case annotated_types.MinLen(min_length=length):
            yield _check(lambda column: _length(column, kind) >= length, f"must have {length} or more {_unit(kind)}")
        case annotated_types.MaxLen(max_length=length):
            yield _check(lambda column: _length(column, kind) <= length, f"must have {length} or fewer {_unit(kind)}")
        case AfterValidator() if constraint.func is require_utc:
            # The column's type is a UTC timestamp already.
            return
        case AfterValidator() if constraint.func is require_amount:
            yield _check(lambda column: (column.abs() <= AMOUNT_MAX) | ~column.is_finite(), f"must lie within {AMOUNT_MAX:g} either way")
        case _ if getattr(constraint, "allow_inf_nan", None) is False:
            yield _check(lambda column: column.is_finite(), "must be a finite number")
        case _ if getattr(constraint, "pattern", None):
            yield _check(lambda column: column.str.contains(constraint.pattern), f"must match {constraint.pattern}")
        case _:
            raise TypeError(f"{name}: no check for {constraint!r}; add it to endcap/dataset/validation.py")


def _bound_check(compare: Callable[[pl.Expr, Any], pl.Expr], bound: Any, reason: str) -> pa.Check:
    return _check(lambda column: compare(column, bound), reason.format(bound))


def _one_of(values: typing.Sequence[Any]) -> pa.Check:
    return _check(lambda column: column.is_in(list(values)), f"must be one of {', '.join(map(str, values))}")


def _length(column: pl.Expr, kind: Any) -> pl.Expr:
    return column.list.len() if get_origin(kind) is list else column.str.len_chars()


def _unit(kind: Any) -> str:
    return "entries" if get_origin(kind) is list else "characters"


def _unwrapped(annotation: Any) -> tuple[Any, list[Any]]:
    """The type inside Optional and Annotated, and the constraints found on the way."""
    if get_origin(annotation) in (typing.Union, types.UnionType):
        return _unwrapped(next(part for part in get_args(annotation) if part is not type(None)))
    if get_origin(annotation) is typing.Annotated:
        inner, *found = get_args(annotation)
        kind, deeper = _unwrapped(inner)
        return kind, [*deeper, *found]
    return annotation, []


def _event_checks() -> dict[str, list[pa.Check]]:
    """What `Event` asks across fields, on the column that is at fault."""
    needed = sorted({name for rule in TYPE_RULES.values() for name in rule.needs})
    checks = {name: [_needed_check(name)] for name in needed}
    takes_off = pl.col("event_type").is_in([kind.value for kind in TAKES_OFF])
    priced = pl.col("unit_price").is_not_null()
    checks["item_id"].append(
        _check(
            lambda column: ~takes_off | column.is_not_null() | pl.col("order_id").is_not_null(),
            "missing; a return or cancellation needs it, or order_id",
        )
    )
    checks["currency"] = [_check(lambda column: ~priced | column.is_not_null(), "missing; a price needs it")]
    return checks


def _needed_check(name: str) -> pa.Check:
    """That a column is there in events of the types that need it."""
    kinds = [kind.value for kind, rule in TYPE_RULES.items() if name in rule.needs]
    types = "an event of this type" if len(kinds) > 2 else f"a {' or '.join(kinds)} event"
    return _check(lambda column: ~pl.col("event_type").is_in(kinds) | column.is_not_null(), f"missing; {types} needs it")


def _is_text_object(column: pl.Expr) -> pl.Expr:
    return column.map_batches(are_text_objects, return_dtype=pl.Boolean)
