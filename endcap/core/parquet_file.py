"""Parquet that other programs write: read so that damaged bytes are an error, never the end of the process."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from endcap.core.errors import DataRejected


def read_parquet_checked(path: Path, *, fix: str, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """Read a file whose content nobody vouches for.

    Polars believes the sizes that a damaged file names, and the system ends a process that asks for more memory than there is. Arrow holds
    them against what it reads, and raises.

    Args:
        path: the file.
        fix: what the error says is to be done.
        columns: those to read, all when left out.

    Raises:
        FileNotFoundError: there is no file.
        DataRejected: it is damaged or no Parquet file, or lacks a column.
    """
    try:
        with path.open("rb") as opened:
            return _checked(opened, str(path), fix, columns)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise DataRejected(f"cannot be read ({error.strerror or error})", field=str(path), fix=fix) from error


def read_rows_checked(path: Path, schema: pl.Schema, *, fix: str) -> pl.DataFrame:
    """As `read_parquet_checked`, of a file with these columns in these types; no file is no rows.

    Raises:
        DataRejected: it is damaged or no Parquet file, or its columns are others.
    """
    try:
        found = read_parquet_checked(path, fix=fix)
    except FileNotFoundError:
        return schema.to_frame()
    if dict(found.schema) != dict(schema):
        raise DataRejected(f"the columns are not {', '.join(schema)} in their types", field=str(path), fix=fix)
    return found


def parquet_checked(content: bytes, *, name: str, fix: str) -> pl.DataFrame:
    """As `read_parquet_checked`, of bytes that are there already; `name` is what the error calls them.

    Raises:
        DataRejected: they are damaged or no Parquet.
    """
    return _checked(BytesIO(content), name, fix, None)


def _checked(opened: BinaryIO, name: str, fix: str, columns: Sequence[str] | None) -> pl.DataFrame:
    try:
        file = pq.ParquetFile(opened)
        missing = [column for column in columns or () if column not in file.schema_arrow.names]
        if missing:
            raise DataRejected(f"has no column {', '.join(missing)}", field=name, fix=fix)
        table = file.read(columns=None if columns is None else list(columns), use_threads=False)
        table.validate(full=True)
    except (pa.ArrowException, OSError, MemoryError, OverflowError, UnicodeDecodeError) as error:
        cause = (str(error) or type(error).__name__).splitlines()[0]
        raise DataRejected(f"not a readable Parquet file ({cause})", field=name, fix=fix) from error
    try:
        return pl.DataFrame(pl.from_arrow(table))
    except pl.exceptions.PanicException as error:
        raise DataRejected("not a readable Parquet file (its schema is damaged)", field=name, fix=fix) from error
