"""A user's own CSV or Parquet files as a canonical dataset, by a mapping file."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from endcap.contracts.tables import TABLES, arrow_schema
from endcap.core.errors import DataRejected, InvalidInput
from endcap.dataset.layout import Dataset, Origin, reusable_dataset
from endcap.dataset.sources.conversion import to_canonical
from endcap.dataset.sources.mapping import Mapping, TableMapping, load_mapping
from endcap.dataset.sources.source import BATCH_ROWS, Batch, TableSource, UnreadableRow, Watch, watch_nothing

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
    next_number, reported = 1, 0
    with pa_csv.open_csv(file, read_options=reading, parse_options=parsing, convert_options=converting) as reader:
        for part in reader:
            taken = np.array([row.row_number for row in skipped if row.row_number >= next_number], dtype=np.int64)
            numbers = np.arange(next_number, next_number + part.num_rows + len(taken))
            numbers = numbers[~np.isin(numbers, taken)][: part.num_rows]
            next_number = int(numbers[-1]) + 1 if len(numbers) else next_number
            unreadable = tuple(skipped[reported:])
            reported = len(skipped)
            yield RawBatch(pl.DataFrame(part), pa.array(numbers, pa.int64()), unreadable)
    if reported < len(skipped):
        empty = pl.DataFrame(schema=dict.fromkeys(names, pl.String))
        yield RawBatch(empty, pa.array([], pa.int64()), tuple(skipped[reported:]))


def _header(file: Path, reading: pa_csv.ReadOptions, parsing: pa_csv.ParseOptions) -> list[str]:
    with pa_csv.open_csv(file, read_options=reading, parse_options=parsing) as reader:
        names: list[str] = reader.schema.names
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataRejected(f"the header has {', '.join(twice)} more than once", field=str(file), fix="give every column its own name")
    return names


IMPORTER_VERSION = 2
"""Raised whenever the same files and mapping would give another dataset."""

_ORDER = ("items", "users", "events", "promotions")


def import_folder(
    folder: Path, mapping_file: Path, target: Path, max_rejected_share: float, *, force: bool = False, watch: Watch = watch_nothing
) -> tuple[Dataset, bool]:
    """Make the canonical dataset at `target` from the files in `folder`, or reuse it when the same files and mapping made it.

    Returns: the dataset, and whether it was there already.

    Raises:
        InvalidInput: the mapping is wrong, or a file lacks a column that it names.
        DataRejected: a file is damaged, a table has too many bad rows, or there are no events.
    """
    if not folder.is_dir():
        raise InvalidInput("the folder is missing", field="folder", value=str(folder))
    mapping = load_mapping(mapping_file)
    files = {table: find_files(folder, table, mapping.tables[table]) for table in _ORDER if table in mapping.tables}
    origin = Origin(mapping.source, _fingerprint(mapping, files, folder, max_rejected_share))
    earlier = None if force else reusable_dataset(target, origin.fingerprint)
    if earlier:
        return earlier, True
    # Reuse needs no row checks, whose libraries take seconds to import.
    from endcap.dataset.assembly import build_dataset

    sources = (_source(table, folder, files[table], mapping) for table in files)
    return build_dataset(sources, target, origin, max_rejected_share, watch), False


def _source(table: str, folder: Path, files: list[Path], mapping: Mapping) -> TableSource:
    def batches() -> Iterator[Batch]:
        lines = _batches(table, folder, files, mapping)
        if not mapping.tables[table].one_row_an_id:
            return lines
        from endcap.dataset.sources.item_lines import one_row_an_id

        return one_row_an_id(lines, ", ".join(mapping.tables[table].files))

    return TableSource(table, None, batches)


def _batches(table: str, folder: Path, files: list[Path], mapping: Mapping) -> Iterator[Batch]:
    mapped = mapping.for_table(table)
    columns = arrow_schema(TABLES[table])
    lenient = pa.schema([field.with_nullable(True) for field in columns])
    for file in files:
        name = file.relative_to(folder).as_posix()
        for raw in raw_batches(file, mapped, BATCH_ROWS):
            _require_columns(table, name, raw.frame.columns, mapped)
            numbers = pl.Series(raw.row_numbers)
            row_names = numbers.cast(pl.String).to_frame("n").select(pl.format(name.replace("{", "{{") + "#{}", "n")).to_series()
            rows, problems = to_canonical(table, raw.frame, mapped, mapping.currency, row_names)
            arrow = rows.to_arrow().cast(lenient)
            yield Batch(arrow, raw.row_numbers, name, problems, raw.frame, raw.unreadable, named=table != "events" or mapped.names_events())


def _require_columns(table: str, file: str, found: list[str], mapped: TableMapping) -> None:
    missing = [name for name in mapped.source_columns() if name not in found]
    if missing:
        users = [f"{canonical} <- {name}" for canonical, name in mapped.columns.items() if name in missing]
        raise InvalidInput(
            f"the column {', '.join(missing)} is not in {file} (mapped: {', '.join(users) or 'attributes or event_id_from'})",
            field=f"tables.{table}",
            fix=f"the file's columns are {', '.join(found)}",
        )


def _fingerprint(mapping: Mapping, files: dict[str, list[Path]], folder: Path, max_rejected_share: float) -> str:
    digest = hashlib.sha256(f"folder importer {IMPORTER_VERSION} {mapping.model_dump_json()} {max_rejected_share}".encode())
    for table, members in files.items():
        for file in members:
            with file.open("rb") as content:
                digest.update(
                    f"{table} {file.relative_to(folder).as_posix()} {hashlib.file_digest(content, 'sha256').hexdigest()}".encode()
                )
    return digest.hexdigest()
