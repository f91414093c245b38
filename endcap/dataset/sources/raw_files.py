"""CSV and Parquet files in batches, every value as it stands in the file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from endcap.core.errors import DataRejected, InvalidInput
from endcap.dataset.sources.mapping import TableMapping
from endcap.dataset.sources.source import UnreadableRow

_PARQUET_ENDINGS = (".parquet", ".pq")
_BLOCK_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class RawBatch:
    """Rows of one file.

    Attributes:
        frame: the file's columns; all text for CSV.
        row_numbers: [rows] int64, from 1, header not counted.
        unreadable: rows with too few or too many columns, of this batch's stretch of the file.
    """

    frame: pl.DataFrame
    row_numbers: pa.Array
    unreadable: Sequence[UnreadableRow] = ()


def find_files(folder: Path, table: str, mapped: TableMapping) -> list[Path]:
    """The files of a table, sorted by name.

    Raises:
        InvalidInput: a pattern matches no file, or points out of the folder.
    """
    found: list[Path] = []
    for pattern in mapped.files:
        if Path(pattern).is_absolute() or ".." in Path(pattern).parts:
            raise InvalidInput("points out of the imported folder", field=f"tables.{table}.files", value=pattern)
        matches = sorted(file for file in folder.glob(pattern) if file.is_file())
        if not matches:
            raise InvalidInput("matches no file", field=f"tables.{table}.files", value=pattern, fix=f"files are looked for in {folder}")
        found += [file for file in matches if file not in found]
    return found


def raw_batches(file: Path, mapped: TableMapping, batch_rows: int, block_bytes: int = _BLOCK_BYTES) -> Iterator[RawBatch]:
    """Read one file from front to back, in bounded memory.

    Raises:
        DataRejected: the file is empty, damaged, or not in the encoding that the mapping says.
    """
    batches = _parquet_batches(file, batch_rows) if file.suffix in _PARQUET_ENDINGS else _csv_batches(file, mapped, block_bytes)
    try:
        yield from batches
    except (pa.ArrowException, OSError, UnicodeDecodeError, LookupError) as error:
        reason = str(error).splitlines()[0]
        fix = "name the file's encoding in the mapping, for example encoding: latin-1" if "UTF8" in reason else "export the file again"
        raise DataRejected(f"the file is not readable ({reason})", field=str(file), fix=fix) from error


def _parquet_batches(file: Path, batch_rows: int) -> Iterator[RawBatch]:
    start = 1
    with pq.ParquetFile(file) as source:
        if source.metadata.num_rows == 0:
            yield RawBatch(pl.DataFrame(source.schema_arrow.empty_table()), pa.array([], pa.int64()))
        for part in source.iter_batches(batch_rows):
            yield RawBatch(pl.DataFrame(part), pa.array(np.arange(start, start + part.num_rows)))
            start += part.num_rows


def _csv_batches(file: Path, mapped: TableMapping, block_bytes: int) -> Iterator[RawBatch]:
    skipped: list[UnreadableRow] = []

    def skip(row: pa_csv.InvalidRow) -> str:
        # The reader counts the header as row 1.
        reason = f"has {row.actual_columns} columns, the header {row.expected_columns}"
        skipped.append(UnreadableRow(row.number - 1, reason, row.text))
        return "skip"

    reading = pa_csv.ReadOptions(use_threads=False, block_size=block_bytes, encoding=mapped.encoding)
    parsing = pa_csv.ParseOptions(delimiter=mapped.delimiter, newlines_in_values=True, invalid_row_handler=skip)
    names = _header(file, reading, parsing)
    converting = pa_csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()),
        strings_can_be_null=True,
        null_values=mapped.null_values,
        quoted_strings_can_be_null=True,
    )
    skipped.clear()
    next_number, told = 1, 0
    with pa_csv.open_csv(file, read_options=reading, parse_options=parsing, convert_options=converting) as reader:
        for part in reader:
            taken = np.array([row.row_number for row in skipped if row.row_number >= next_number], dtype=np.int64)
            numbers = np.arange(next_number, next_number + part.num_rows + len(taken))
            numbers = numbers[~np.isin(numbers, taken)][: part.num_rows]
            next_number = int(numbers[-1]) + 1 if len(numbers) else next_number
            unreadable = tuple(skipped[told:])
            told = len(skipped)
            yield RawBatch(pl.DataFrame(part), pa.array(numbers, pa.int64()), unreadable)
    if told < len(skipped):
        empty = pl.DataFrame(schema=dict.fromkeys(names, pl.String))
        yield RawBatch(empty, pa.array([], pa.int64()), tuple(skipped[told:]))


def _header(file: Path, reading: pa_csv.ReadOptions, parsing: pa_csv.ParseOptions) -> list[str]:
    with pa_csv.open_csv(file, read_options=reading, parse_options=parsing) as reader:
        names: list[str] = reader.schema.names
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataRejected(f"the header has {', '.join(twice)} more than once", field=str(file), fix="give every column its own name")
    return names
