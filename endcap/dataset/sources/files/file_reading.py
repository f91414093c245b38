"""One file from front to back in batches, whatever its kind, packing or encoding."""

import bz2
import codecs
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import BinaryIO, TextIO, cast
from zipfile import BadZipFile, ZipFile

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from endcap.core.errors import DataRejected
from endcap.dataset.sources.files.delimited_text import delimited_batches
from endcap.dataset.sources.files.json_lines import json_batches
from endcap.dataset.sources.files.raw_batch import RawBatch
from endcap.dataset.sources.files.source_files import SourceFile, SourceFiles

_PARQUET_ENDINGS = (".parquet", ".pq")
_JSON_ENDINGS = (".jsonl", ".ndjson", ".json")
_BYTE_ORDER_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_BUFFER_BYTES = 1024 * 1024
_LOOKED_AT = 64
"""Bytes in which null characters tell another encoding."""


def raw_batches(file: SourceFile, form: SourceFiles, wanted: Sequence[str], batch_rows: int) -> Iterator[RawBatch]:
    """Read one file.

    Args:
        wanted: the source columns that the mapping names.

    Raises:
        DataRejected: the file is empty, damaged, or not in the encoding that the mapping says.
    """
    try:
        if file.ending in _PARQUET_ENDINGS:
            yield from _parquet_batches(file, batch_rows)
            return
        with open_text(file, form.encoding) as stream:
            if file.ending in _JSON_ENDINGS:
                yield from json_batches(stream, file.name, form.rows_in, wanted, batch_rows)
            else:
                yield from delimited_batches(stream, file.name, form, batch_rows)
    except UnicodeError as error:
        raise DataRejected(
            f"the file is not readable as {form.encoding} text",
            field=str(file.path),
            fix="name the file's encoding in the mapping, for example encoding: latin-1, encoding: cp1252, or encoding: utf-16-le for "
            "UTF-16 without a byte-order mark",
        ) from error
    except (pa.ArrowException, OSError, EOFError, zlib.error, BadZipFile, RuntimeError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise DataRejected(f"the file is not readable ({reason})", field=str(file.path), fix="export the file again") from error


@contextmanager
def open_text(file: SourceFile, encoding: str) -> Iterator[TextIO]:
    """The file's text, unpacked; line ends stay as they are. A byte-order mark says the encoding where there is one.

    Raises:
        UnicodeError: the file begins with null characters, as texts of two bytes a sign do that are read as something else.
    """
    with ExitStack() as stack:
        content = io.BufferedReader(stack.enter_context(_open_bytes(file)), _BUFFER_BYTES)
        start = content.peek(_LOOKED_AT)[:_LOOKED_AT]
        marked = next((name for mark, name in _BYTE_ORDER_MARKS if start.startswith(mark)), encoding)
        if b"\0" in start and not codecs.lookup(marked).name.startswith(("utf-16", "utf-32")):
            raise UnicodeError("null characters")
        yield stack.enter_context(io.TextIOWrapper(content, marked, newline=""))


@contextmanager
def _open_bytes(file: SourceFile) -> Iterator[io.RawIOBase]:
    with ExitStack() as stack:
        packing = file.name.lower().rsplit(".", 1)[-1]
        opened: object
        if file.member is not None:
            archive = stack.enter_context(ZipFile(file.path))
            opened = stack.enter_context(archive.open(file.member))
            if packing == "gz":
                opened = gzip.GzipFile(fileobj=cast(BinaryIO, opened))
        elif packing == "gz":
            opened = stack.enter_context(gzip.open(file.path))
        elif packing == "bz2":
            opened = stack.enter_context(bz2.open(file.path))
        else:
            opened = stack.enter_context(pa.input_stream(str(file.path), compression="detect"))
        yield cast(io.RawIOBase, opened)


def _parquet_batches(file: SourceFile, batch_rows: int) -> Iterator[RawBatch]:
    start = 1
    with _open_parquet(file) as source:
        if source.metadata.num_rows == 0:
            yield RawBatch(pl.DataFrame(source.schema_arrow.empty_table()), pa.array([], pa.int64()))
        for part in source.iter_batches(batch_rows):
            yield RawBatch(pl.DataFrame(part), pa.array(np.arange(start, start + part.num_rows)))
            start += part.num_rows


@contextmanager
def _open_parquet(file: SourceFile) -> Iterator[pq.ParquetFile]:
    with ExitStack() as stack:
        if file.member is None:
            yield stack.enter_context(pq.ParquetFile(file.path))
            return
        # A Parquet file is read from its end, which a packed stream cannot do.
        archive = stack.enter_context(ZipFile(file.path))
        yield stack.enter_context(pq.ParquetFile(pa.BufferReader(archive.read(file.member))))
