"""The catalogue's log read back: JSON lines, a `CatalogueChange` each, in files like those of the event log."""

from pathlib import Path

import polars as pl

from endcap.catalogue.changes.catalogue_change import CatalogueChange
from endcap.contracts.tables import arrow_schema
from endcap.events.log.writer import FILE_SUFFIX, OPEN_SUFFIX

MOMENT_FORMAT = "%Y-%m-%dT%H:%M:%S%.fZ"


def change_schema() -> pl.Schema:
    """Columns of the contract `CatalogueChange`."""
    return pl.DataFrame(arrow_schema(CatalogueChange).empty_table()).schema


def changes_of(lines: bytes) -> pl.DataFrame:
    """Whole lines as a table, in their order.

    Args:
        lines: of the log; each is ended.
    """
    schema = change_schema()
    if not lines.strip():
        return schema.to_frame()
    moments = [name for name, kind in schema.items() if isinstance(kind, pl.Datetime)]
    as_written = pl.Schema({name: pl.String() if name in moments else kind for name, kind in schema.items()})
    read = pl.read_ndjson(lines, schema=as_written)
    return read.with_columns(pl.col(moments).str.to_datetime(MOMENT_FORMAT, time_unit="us", time_zone="UTC"))


def read_changes(folder: Path) -> pl.DataFrame:
    """All whole changes under a folder, in the order of files and lines; no folder is no changes.

    A last line that is not ended is still being written, or its writer ended there.
    """
    files = [file for file in folder.glob("*") if file.name.endswith((FILE_SUFFIX, OPEN_SUFFIX))]
    contents = (file.read_bytes() for file in sorted(files))
    return changes_of(b"".join(content[: content.rfind(b"\n") + 1] for content in contents))
