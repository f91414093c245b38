"""The catalogue's log read back: JSON lines, a `CatalogueChange` each, in files like those of the event log."""

from pathlib import Path

import polars as pl

from endcap.contracts.catalogue_change import CatalogueChange
from endcap.contracts.tables import arrow_schema
from endcap.core.line_moments import as_written, read_moments
from endcap.events.log.writer import FILE_SUFFIX, OPEN_SUFFIX


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
    return pl.read_ndjson(lines, schema=as_written(schema)).with_columns(read_moments(schema))


def read_changes(folder: Path) -> pl.DataFrame:
    """All whole changes under a folder, in the order of files and lines; no folder is no changes.

    A last line that is not ended is still being written, or its writer ended there.
    """
    files = [file for file in folder.glob("*") if file.name.endswith((FILE_SUFFIX, OPEN_SUFFIX))]
    contents = (file.read_bytes() for file in sorted(files))
    return changes_of(b"".join(content[: content.rfind(b"\n") + 1] for content in contents))
