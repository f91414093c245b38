"""A user's own files as a canonical dataset, by a mapping file."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa

from endcap.contracts.tables import TABLES, arrow_schema
from endcap.core.clock import Clock, system_clock
from endcap.core.errors import InvalidInput
from endcap.dataset.layout import Dataset, Origin, reusable_dataset
from endcap.dataset.sources.conversion import Converter
from endcap.dataset.sources.file_reading import raw_batches
from endcap.dataset.sources.mapping import Mapping, load_mapping
from endcap.dataset.sources.moments import PlausibleTimes
from endcap.dataset.sources.source import BATCH_ROWS, Batch, TableSource, Watch, watch_nothing
from endcap.dataset.sources.source_files import SourceFile, find_files
from endcap.dataset.sources.table_mapping import TableMapping

IMPORTER_VERSION = 2
"""Raised whenever the same files and mapping would give another dataset."""

_ORDER = ("items", "users", "events", "promotions")


@dataclass(frozen=True)
class MappedFiles:
    """One mapping of a table with its files.

    Attributes:
        place: how messages call it: `tables.events`, or `tables.events.1` where there are several.
        number: its place among the table's mappings, from 0.
    """

    table: str
    place: str
    number: int
    mapped: TableMapping
    files: list[SourceFile]


def import_folder(
    folder: Path,
    mapping_file: Path,
    target: Path,
    max_rejected_share: float,
    *,
    force: bool = False,
    watch: Watch = watch_nothing,
    clock: Clock = system_clock,
) -> tuple[Dataset, bool]:
    """Make the canonical dataset at `target` from the files in `folder`, or reuse it when the same files and mapping made it.

    Args:
        clock: says when the import is; later events than a day after are not plausible.

    Returns: the dataset, and whether it was there already.

    Raises:
        InvalidInput: the mapping is wrong, or a file lacks a column that it names.
        DataRejected: a file is damaged, a table has too many bad rows, or there are no events.
    """
    if not folder.is_dir():
        raise InvalidInput("the folder is missing", field="folder", value=str(folder))
    mapping = load_mapping(mapping_file)
    parts = {table: _mapped_files(folder, table, mapping) for table in _ORDER if table in mapping.tables}
    origin = Origin(mapping.source, _fingerprint(mapping, parts, max_rejected_share))
    earlier = None if force else reusable_dataset(target, origin.fingerprint)
    if earlier:
        return earlier, True
    # Reuse needs no row checks, whose libraries take seconds to import.
    from endcap.dataset.assembly import build_dataset

    reading = _FolderReading(mapping, clock)
    sources = (reading.source(table, parts[table]) for table in parts)
    return build_dataset(sources, target, origin, max_rejected_share, watch), False


def _mapped_files(folder: Path, table: str, mapping: Mapping) -> list[MappedFiles]:
    parts = mapping.for_table(table)
    places = [f"tables.{table}.{number}" if len(parts) > 1 else f"tables.{table}" for number in range(len(parts))]
    return [
        MappedFiles(table, place, number, mapped, find_files(folder, place, mapped.files))
        for number, (place, mapped) in enumerate(zip(places, parts, strict=True))
    ]


@dataclass(frozen=True)
class _FolderReading:
    """Reads tables as the mapping says."""

    mapping: Mapping
    clock: Clock

    def source(self, table: str, parts: list[MappedFiles]) -> TableSource:
        return TableSource(table, None, lambda: (batch for part in parts for batch in self._batches(part)))

    def _batches(self, part: MappedFiles) -> Iterator[Batch]:
        mapped = part.mapped
        converter = Converter(part.table, mapped, self.mapping.currency, PlausibleTimes.of(mapped, self.clock()))
        lenient = pa.schema([field.with_nullable(True) for field in arrow_schema(TABLES[part.table])])
        for file in part.files:
            for raw in raw_batches(file, mapped, mapped.source_columns(), BATCH_ROWS):
                _require_columns(part, file.name, raw.frame.columns)
                rows, problems = converter.convert(raw.frame, _row_names(part, file, raw.row_numbers))
                yield Batch(rows.to_arrow().cast(lenient), raw.row_numbers, file.name, problems, raw.frame, raw.unreadable)


def _row_names(part: MappedFiles, file: SourceFile, row_numbers: pa.Array) -> pl.Series:
    """A name for each row: file and place; of a second mapping also its number, since it may read the same file."""
    before = f"{file.name}#" if part.number == 0 else f"{part.number}:{file.name}#"
    return pl.select(pl.lit(before) + pl.Series(row_numbers).cast(pl.String)).to_series()


def _require_columns(part: MappedFiles, file: str, found: list[str]) -> None:
    missing = [name for name in part.mapped.source_columns() if name not in found]
    if not missing:
        return
    users = [
        f"{canonical} <- {name}" for canonical, column in part.mapped.columns.items() for name in column.source_columns() if name in missing
    ]
    fix = f"the file's columns are {', '.join(found)}"
    raise InvalidInput(
        f"the column {', '.join(missing)} is not in {file} (mapped: {', '.join(users) or 'attributes or event_id_from'})",
        field=part.place,
        fix=f"{fix}; is its delimiter {part.mapped.delimiter!r}?" if len(found) == 1 else fix,
    )


def _fingerprint(mapping: Mapping, parts: dict[str, list[MappedFiles]], max_rejected_share: float) -> str:
    digest = hashlib.sha256(f"folder importer {IMPORTER_VERSION} {mapping.model_dump_json()} {max_rejected_share}".encode())
    contents: dict[Path, str] = {}
    for table, members in parts.items():
        for file in (file for part in members for file in part.files):
            if file.path not in contents:
                with file.path.open("rb") as content:
                    contents[file.path] = hashlib.file_digest(content, "sha256").hexdigest()
            digest.update(f"{table} {file.name} {contents[file.path]}".encode())
    return digest.hexdigest()
