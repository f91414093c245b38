"""A user's own files as a canonical dataset, by a mapping file."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from endcap.contracts.tables import TABLES, arrow_schema
from endcap.core.clock import Clock, system_clock
from endcap.core.errors import InvalidInput
from endcap.dataset.layout import Dataset, Origin, reusable_dataset
from endcap.dataset.sources.columns.moments import PlausibleTimes
from endcap.dataset.sources.conversion import Converter
from endcap.dataset.sources.mapping import Mapping, load_mapping
from endcap.dataset.sources.source import Batch, TableSource, Watch, watch_nothing
from endcap.dataset.sources.source_rows import MappedFiles, source_rows

IMPORTER_VERSION = 3
"""Raised whenever the same files and mapping would give another dataset."""

_ORDER = ("items", "users", "events", "promotions")


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

    reading = _FolderReading(mapping, parts, clock)
    sources = (reading.source(table) for table in parts)
    return build_dataset(sources, target, origin, max_rejected_share, watch), False


def _mapped_files(folder: Path, table: str, mapping: Mapping) -> list[MappedFiles]:
    parts = mapping.for_table(table)
    places = [f"tables.{table}.{number}" if len(parts) > 1 else f"tables.{table}" for number in range(len(parts))]
    return [MappedFiles(folder, table, place, number, mapped) for number, (place, mapped) in enumerate(zip(places, parts, strict=True))]


@dataclass(frozen=True)
class _FolderReading:
    """Reads tables as the mapping says."""

    mapping: Mapping
    parts: dict[str, list[MappedFiles]]
    clock: Clock

    def source(self, table: str) -> TableSource:
        def batches() -> Iterator[Batch]:
            lines = (batch for part in self.parts[table] for batch in self._batches(part))
            if not any(part.mapped.one_row_an_id for part in self.parts[table]):
                return lines
            from endcap.dataset.sources.item_lines import one_row_an_id

            return one_row_an_id(lines, ", ".join(file for part in self.parts[table] for file in part.mapped.files))

        return TableSource(table, None, batches)

    def _batches(self, part: MappedFiles) -> Iterator[Batch]:
        now = self.clock()
        converter = Converter(part.table, part.mapped, self.mapping.currency, PlausibleTimes.of(part.mapped, now))
        lenient = pa.schema([field.with_nullable(True) for field in arrow_schema(TABLES[part.table])])
        until = self._last_event() if part.mapped.properties and part.mapped.properties.at else None
        for name, raw in source_rows(part, until):
            rows, problems = converter.convert(raw.frame, _row_names(part, name, raw.row_numbers))
            named = part.table != "events" or part.mapped.names_events()
            table = rows.to_arrow().cast(lenient)
            yield Batch(table, raw.row_numbers, name, problems, raw.frame, raw.unreadable, named=named, left_out=raw.left_out)

    def _last_event(self) -> datetime | None:
        """The moment of the newest event: one more pass over their files."""
        newest = [pc.max(batch.rows["occurred_at"]).as_py() for part in self.parts["events"] for batch in self._batches(part)]
        return max((moment for moment in newest if moment is not None), default=None)


def _row_names(part: MappedFiles, file: str, row_numbers: pa.Array) -> pl.Series:
    """A name for each row: file and place; of a second mapping also its number, since it may read the same file."""
    before = f"{file}#" if part.number == 0 else f"{part.number}:{file}#"
    return pl.select(pl.lit(before) + pl.Series(row_numbers).cast(pl.String)).to_series()


def _fingerprint(mapping: Mapping, parts: dict[str, list[MappedFiles]], max_rejected_share: float) -> str:
    digest = hashlib.sha256(f"folder importer {IMPORTER_VERSION} {mapping.model_dump_json()} {max_rejected_share}".encode())
    contents: dict[Path, str] = {}
    for table, members in parts.items():
        for file in (file for part in members for file in part.all_files()):
            if file.path not in contents:
                with file.path.open("rb") as content:
                    contents[file.path] = hashlib.file_digest(content, "sha256").hexdigest()
            digest.update(f"{table} {file.name} {contents[file.path]}".encode())
    return digest.hexdigest()
