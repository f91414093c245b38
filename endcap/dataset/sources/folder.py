"""A user's own CSV or Parquet files as a canonical dataset, by a mapping file."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa

from endcap.contracts.tables import TABLES, arrow_schema
from endcap.core.errors import InvalidInput
from endcap.dataset.layout import Dataset, Origin, reusable_dataset
from endcap.dataset.sources.conversion import to_canonical
from endcap.dataset.sources.mapping import Mapping, TableMapping, load_mapping
from endcap.dataset.sources.raw_files import find_files, raw_batches
from endcap.dataset.sources.source import BATCH_ROWS, Batch, TableSource, Watch, watch_nothing

IMPORTER_VERSION = 1
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
    return TableSource(table, None, lambda: _batches(table, folder, files, mapping))


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
            yield Batch(rows.to_arrow().cast(lenient), raw.row_numbers, name, problems, raw.frame, raw.unreadable)


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
