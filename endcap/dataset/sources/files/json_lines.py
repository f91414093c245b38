"""JSON with an object a line; objects inside become columns such as `page.path`."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, TextIO

import polars as pl
import pyarrow as pa

from endcap.core.errors import DataRejected
from endcap.dataset.sources.files.raw_batch import CELLS_MAX, RawBatch
from endcap.dataset.sources.source import UnreadableRow


def json_batches(stream: TextIO, name: str, rows_in: str | None, wanted: Sequence[str], batch_rows: int) -> Iterator[RawBatch]:
    """Read a file from front to back, in bounded memory. Numbers keep the text in which they are written, lists stay lists of texts.

    Args:
        rows_in: the list in each object whose entries are the rows, with the object's other values beside them; None for a row an object.
        wanted: the columns that are read; a row without one has none there.

    Raises:
        DataRejected: the file is one JSON document instead of a line each.
        UnicodeDecodeError: the file is in another encoding.
    """
    size = max(1, min(batch_rows, CELLS_MAX // max(1, len(wanted))))
    rows: list[dict[str, Any]] = []
    numbers: list[int] = []
    unreadable: list[UnreadableRow] = []
    number, is_first = 0, True
    for line in stream:
        if not line.strip():
            continue
        value = _object(line)
        if value is None and number == 0:
            raise DataRejected("is not JSON with an object a line", field=name, fix="write every object on a line of its own: jq -c '.[]'")
        if value is None:
            number += 1
            unreadable.append(UnreadableRow(number, "is no JSON object", line.rstrip("\r\n")))
            continue
        found = [_flat(entry) for entry in ([value] if rows_in is None else _entries(value, rows_in, name))]
        rows += found
        numbers += range(number + 1, number + 1 + len(found))
        number += len(found)
        if len(rows) >= size:
            yield _raw(rows, numbers, unreadable, wanted, is_first)
            rows, numbers, unreadable, is_first = [], [], [], False
    if is_first or rows or unreadable:
        yield _raw(rows, numbers, unreadable, wanted, is_first)


def _object(line: str) -> dict[str, Any] | None:
    try:
        value = json.loads(line, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _entries(value: dict[str, Any], rows_in: str, name: str) -> Iterator[dict[str, Any]]:
    """The objects of a list inside an object, each with what stands beside the list."""
    entries = value.pop(rows_in, None)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise DataRejected(
            f"an object has no list of objects called {rows_in!r}", field=name, fix="correct rows_in of the mapping, or the file"
        )
    yield from ({**value, **entry} for entry in entries)


def _flat(value: dict[str, Any], before: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, inner in value.items():
        if isinstance(inner, dict):
            flat |= _flat(inner, f"{before}{key}.")
        else:
            flat[before + key] = [_text(part) for part in inner] if isinstance(inner, list) else _text(inner)
    return flat


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _raw(
    rows: list[dict[str, Any]], numbers: list[int], unreadable: list[UnreadableRow], wanted: Sequence[str], is_first: bool
) -> RawBatch:
    names = list(wanted)
    if is_first and rows:
        # A column that no row of the first batch has is a wrong name; further on it is a value that rows leave out.
        found = dict.fromkeys(name for row in rows for name in row)
        names = [name for name in wanted if name in found] + [name for name in found if name not in wanted]
    columns = [_column(name, [row.get(name) for row in rows]) for name in names]
    return RawBatch(pl.DataFrame(columns), pa.array(numbers, pa.int64()), tuple(unreadable))


def _column(name: str, values: list[Any]) -> pl.Series:
    if any(isinstance(value, list) for value in values):
        lists = [value if isinstance(value, list) or value is None else [value] for value in values]
        return pl.Series(name, lists, dtype=pl.List(pl.String))
    return pl.Series(name, values, dtype=pl.String)
