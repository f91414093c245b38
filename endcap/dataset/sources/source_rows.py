"""The rows of a table as its mapping makes them of files: read, pivoted, looked up and filtered, still in the source's own columns."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import polars as pl
import pyarrow as pa

from endcap.core.errors import InvalidInput
from endcap.dataset.sources.category_trees import LoadedTree
from endcap.dataset.sources.files.file_reading import raw_batches
from endcap.dataset.sources.files.raw_batch import RawBatch
from endcap.dataset.sources.files.source_files import SourceFile, find_files
from endcap.dataset.sources.lookups import LoadedLookup
from endcap.dataset.sources.property_rows import property_rows
from endcap.dataset.sources.row_filter import RowFilter, columns_of
from endcap.dataset.sources.source import BATCH_ROWS
from endcap.dataset.sources.table_mapping import TableMapping


@dataclass(frozen=True)
class MappedFiles:
    """One mapping of a table with its files.

    Attributes:
        folder: the imported folder.
        place: how messages call the mapping: `tables.events`, or `tables.events.1` where there are several.
        number: its place among the table's mappings, from 0.

    Raises:
        InvalidInput: a pattern of the table's own files matches none, or points out of the folder.
    """

    folder: Path
    table: str
    place: str
    number: int
    mapped: TableMapping
    files: list[SourceFile] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "files", find_files(self.folder, self.place, self.mapped.files))

    def all_files(self) -> Iterator[SourceFile]:
        """The table's own files, then those that are looked up."""
        yield from self.files
        for number, lookup in enumerate(self.mapped.lookup):
            yield from find_files(self.folder, f"{self.place}.lookup.{number}", lookup.files)
        if self.mapped.category_tree is not None:
            yield from find_files(self.folder, f"{self.place}.category_tree", self.mapped.category_tree.files)


def source_rows(part: MappedFiles, last_event: datetime | None) -> Iterator[tuple[str, RawBatch]]:
    """Batches of rows, each with the name of its file.

    Args:
        last_event: properties that hold only since a later moment do not count; None counts all.

    Raises:
        InvalidInput: a file lacks a column, or `where` is no condition on them.
        DataRejected: a file is not readable.
    """
    mapped = part.mapped
    lookups = [LoadedLookup(part.folder, f"{part.place}.lookup.{number}", lookup) for number, lookup in enumerate(mapped.lookup)]
    tree = LoadedTree(part.folder, f"{part.place}.category_tree", mapped.category_tree) if mapped.category_tree else None
    condition = RowFilter(mapped.where, f"{part.place}.where", mapped) if mapped.where else None
    for name, raw in _file_rows(part, last_event):
        frame = raw.frame
        for lookup in lookups:
            frame = lookup.joined(frame)
        if tree is not None:
            for column in mapped.columns["category_path"].source_columns():
                frame = tree.placed(frame, column)
        if condition is None:
            yield name, RawBatch(frame, raw.row_numbers, raw.unreadable)
        else:
            kept = condition.rows(frame)
            yield name, RawBatch(frame.filter(kept), raw.row_numbers.filter(pa.array(kept)), raw.unreadable, int((~kept).sum()))


def _file_rows(part: MappedFiles, last_event: datetime | None) -> Iterator[tuple[str, RawBatch]]:
    properties = part.mapped.properties
    if properties is None:
        yield from _whole_files(part)
        return
    batches = (raw for _, raw in _whole_files(part))
    for raw in property_rows(batches, properties, part.mapped, last_event):
        yield part.files[0].name, raw


def _whole_files(part: MappedFiles) -> Iterator[tuple[str, RawBatch]]:
    mapped = part.mapped
    needed = mapped.file_columns()
    conditional = columns_of(mapped.where, f"{part.place}.where") if mapped.where else []
    wanted = list(dict.fromkeys([*needed, *conditional]))
    for file in part.files:
        for raw in raw_batches(file, mapped, wanted, BATCH_ROWS):
            _require_columns(part, file.name, needed, raw.frame)
            yield file.name, raw


def _require_columns(part: MappedFiles, file: str, needed: list[str], frame: pl.DataFrame) -> None:
    found = frame.columns
    missing = [name for name in needed if name not in found]
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
