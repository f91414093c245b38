"""The field-by-field part of docs/data.md, written from the contracts."""

from collections.abc import Container, Iterable
from typing import Any

import pyarrow as pa
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from endcap.contracts.tables import REQUIRED_TABLES, TABLES, arrow_schema
from endcap.dataset.rejection import REJECTED_SCHEMA
from endcap.dataset.sources.files.source_files import SourceFiles
from endcap.dataset.sources.lookup_mapping import CategoryTree, Lookup, OrderMoments, Properties
from endcap.dataset.sources.mapping import Mapping
from endcap.dataset.sources.table_mapping import ColumnSource, TableMapping
from endcap.dataset.validation import describe_checks


def markdown_reference() -> dict[str, str]:
    """The generated sections by name, each a piece of Markdown."""
    return {
        "tables": "\n".join(_table_section(table, contract) for table, contract in TABLES.items()) + "\n" + _rejected_section(),
        "mapping": "\n".join(f"{title}:\n\n{options}" for title, options in _mapping_options().items()),
    }


def _mapping_options() -> dict[str, str]:
    of_files = tuple(SourceFiles.model_fields)
    return {
        "The file": _options(Mapping, without=("tables",)),
        "Each of `tables`, or each mapping of its list": _options(TableMapping),
        "A column of `columns` that is more than a name": _options(ColumnSource),
        "Each `lookup`, which has `files` and how they are written as a table has": _options(Lookup, without=of_files),
        "`moments` of a lookup": _options(OrderMoments),
        "`properties`": _options(Properties),
        "`category_tree`, which has `files` and how they are written too": _options(CategoryTree, without=of_files),
    }


def _table_section(table: str, contract: type[BaseModel]) -> str:
    schema = arrow_schema(contract)
    checks = describe_checks(table)
    rows = [(f"`{field.name}`", _type_name(field), _allowed(field, checks[field.name]), _text(field)) for field in schema]
    needed = "needed" if table in REQUIRED_TABLES else "optional"
    summary = (contract.__doc__ or "").strip().splitlines()[0]
    return f"### `{table}.parquet` ({needed})\n\n{summary}\n\n" + _markdown_table(("column", "type", "allowed", "meaning"), rows)


def _rejected_section() -> str:
    rows = [(f"`{field.name}`", _type_name(field), _text(field)) for field in REJECTED_SCHEMA]
    return "### `rejected.parquet`\n\nA line for every problem of every refused row.\n\n" + _markdown_table(
        ("column", "type", "meaning"), rows
    )


def _options(model: type[BaseModel], without: Container[str] = ()) -> str:
    fields = {field.alias or name: field for name, field in model.model_fields.items() if name not in without}
    rows = [(f"`{name}`", _default(field), field.description or "") for name, field in fields.items()]
    return _markdown_table(("option", "default", "meaning"), rows)


def _allowed(field: pa.Field, reasons: Iterable[str]) -> str:
    return "; ".join([*(["may be empty"] if field.nullable else []), *(reason.removeprefix("missing; ") for reason in reasons)])


def _default(field: FieldInfo) -> str:
    value: Any = field.get_default(call_default_factory=True)
    if field.is_required():
        return "needed"
    return "" if value is None or value in ({}, []) else f"`{value!r}`"


def _type_name(field: pa.Field) -> str:
    if pa.types.is_timestamp(field.type):
        return "timestamp, UTC"
    if pa.types.is_list(field.type) and pa.types.is_struct(field.type.value_type):
        return f"list of {', '.join(part.name for part in field.type.value_type)}"
    return (
        str(field.type)
        .replace("list<item: string>", "list of text")
        .replace("list<element: string>", "list of text")
        .replace("string", "text")
    )


def _text(field: pa.Field) -> str:
    described: bytes = (field.metadata or {}).get(b"description", b"")
    return described.decode()


def _markdown_table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    titles = list(header)
    lines = [titles, ["---"] * len(titles), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
