"""A shop's list of prices and stock, as rows of the contract of item updates: CSV, JSON lines or Parquet, each row judged."""

import csv
import difflib
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import polars as pl
from pydantic import ValidationError

from endcap.catalogue.item_updates import REASON, conformed, update_schema, with_reasons
from endcap.contracts.item_update import ItemUpdate
from endcap.core.errors import DataRejected
from endcap.core.parquet_file import parquet_checked

Format = Literal["csv", "jsonl", "parquet"]
BY_SUFFIX: dict[str, Format] = {
    **dict.fromkeys(("csv", "tsv", "txt"), "csv"),
    **dict.fromkeys(("jsonl", "ndjson", "json"), "jsonl"),
    "parquet": "parquet",
}
COLUMNS = tuple(ItemUpdate.model_fields)
_SEPARATORS = ",;\t|"
_FIX = f"columns are {', '.join(COLUMNS)}; see docs/data.md, Live price and stock"


@dataclass(frozen=True)
class BadRow:
    """A row that the contract refuses: its line in the file, from 1 and with the header, for Parquet its row; and why."""

    line: int
    reason: str


@dataclass(frozen=True)
class JudgedRows:
    """The good rows, with the columns of the contract and in the file's order, and the bad ones."""

    good: pl.DataFrame
    bad: tuple[BadRow, ...]

    def __len__(self) -> int:
        return len(self.good) + len(self.bad)

    @property
    def bad_share(self) -> float:
        return len(self.bad) / len(self) if len(self) else 0.0


def format_of(name: str, content: bytes) -> Format:
    """By the name's ending, else by the first bytes: a stream has no name."""
    named = BY_SUFFIX.get(name.rpartition(".")[2].lower())
    if named is not None:
        return named
    if content[:4] == b"PAR1":
        return "parquet"
    return "jsonl" if content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[") else "csv"


def judged_rows(content: bytes, name: str, form: Format, moment: datetime) -> JudgedRows:
    """Read and judge.

    Args:
        content: of the file.
        name: what errors call it.
        form: of the content.
        moment: UTC; `updated_at` of rows that say nothing.

    Raises:
        DataRejected: it is no such file, or its columns are not those of the contract.
    """
    if form == "parquet":
        return _judged_table(parquet_checked(content, name=name, fix="write it again"), moment)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataRejected(f"is not UTF-8 (byte {error.start})", field=name, fix="save it as UTF-8") from error
    if form == "jsonl" and text.lstrip()[:1] == "[":
        raise DataRejected("is one JSON array", field=name, fix="write JSON lines, an object a line: jq -c '.[]' does")
    rows = _csv_rows(text, name) if form == "csv" else _json_rows(text)
    good: list[ItemUpdate] = []
    bad: list[BadRow] = []
    for line, read in rows:
        try:
            good.append(read(moment))
        except ValidationError as error:
            bad.append(BadRow(line, _sentence(error)))
        except ValueError as error:
            bad.append(BadRow(line, str(error)))
    columns = {field: [getattr(row, field) for row in good] for field in COLUMNS}
    columns["availability"] = [None if value is None else str(value.value) for value in columns["availability"]]
    return JudgedRows(pl.DataFrame(columns, schema=update_schema()), tuple(bad))


Reading = tuple[int, Callable[[datetime], ItemUpdate]]
"""A row's line, and what makes an update of it, or raises ValueError."""


def _csv_rows(text: str, name: str) -> Iterator[Reading]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text), strict=True)
    start = 1
    try:
        header = _header(next(reader, []), name)
        start = reader.line_num + 1
        for values in reader:
            if any(value.strip() for value in values):
                yield start, _of_texts(header, values)
            start = reader.line_num + 1
    except csv.Error as error:
        # What follows is lost with it, and counts, however many lines a quote that is never closed has swallowed.
        for line in range(start, len(text.splitlines()) + 1):
            yield line, _refusing(f"cannot be split into columns from line {start} on ({error})")


def _separator(text: str) -> str:
    first = text.lstrip("\r\n").partition("\n")[0]
    return max(_SEPARATORS, key=first.count)


def _header(names: Sequence[str], name: str) -> list[str]:
    header = [column.strip() for column in names]
    if not any(header):
        return []
    for column in header:
        if column not in COLUMNS:
            close = difflib.get_close_matches(column, COLUMNS, n=1)
            raise DataRejected("unknown column", field=name, value=column, fix=f"did you mean {close[0]}?" if close else _FIX)
    if len(set(header)) < len(header):
        raise DataRejected("a column stands twice in the header", field=name, value=", ".join(header), fix="keep one of them")
    if "item_id" not in header:
        raise DataRejected("the header has no item_id", field=name, value=", ".join(header), fix=_FIX)
    return header


def _of_texts(header: Sequence[str], values: Sequence[str]) -> Callable[[datetime], ItemUpdate]:
    if len(values) != len(header):
        return _refusing(f"has {len(values)} values; the header has {len(header)}")
    given = {column: value.strip() for column, value in zip(header, values, strict=True) if value.strip()}
    return lambda moment: ItemUpdate.model_validate({"updated_at": moment} | given)


def _json_rows(text: str) -> Iterator[Reading]:
    for line, row in enumerate(text.split("\n"), start=1):
        if row.strip():
            yield line, lambda moment, row=row: _of_json(row, moment)  # type: ignore[misc]


def _of_json(row: str, moment: datetime) -> ItemUpdate:
    try:
        given = json.loads(row, object_pairs_hook=_without_double_keys)
    except json.JSONDecodeError as error:
        raise ValueError(f"is no JSON object ({error.msg})") from None
    if not isinstance(given, dict):
        raise ValueError("is no JSON object")
    if given.get("updated_at") is None:
        given = given | {"updated_at": moment.isoformat()}
    return ItemUpdate.model_validate_json(json.dumps(given), strict=True)


def _without_double_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found


def _refusing(reason: str) -> Callable[[datetime], ItemUpdate]:
    def refuse(_moment: datetime) -> ItemUpdate:
        raise ValueError(reason)

    return refuse


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    value = "" if first["type"] == "missing" else f", got {str(first['input'])[:60]!r}"
    return f"{place}: {first['msg'].removeprefix('Value error, ')}{value}"


def _judged_table(found: pl.DataFrame, moment: datetime) -> JudgedRows:
    if "updated_at" not in found.columns:
        found = found.with_columns(pl.lit(None, dtype=update_schema()["updated_at"]).alias("updated_at"))
    rows = with_reasons(conformed(found).with_columns(pl.col("updated_at").fill_null(pl.lit(moment))))
    numbered = rows.with_row_index("row", offset=1)
    bad = numbered.filter(pl.col(REASON).is_not_null())
    good = rows.filter(pl.col(REASON).is_null()).drop(REASON)
    return JudgedRows(good, tuple(BadRow(line, reason) for line, reason in bad.select("row", REASON).iter_rows()))
