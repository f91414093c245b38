"""Rows of a source file as they stand there."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
import pyarrow as pa

from endcap.dataset.sources.source import UnreadableRow

CELLS_MAX = 3_000_000
"""Values of a text file that are held as Python texts at once; wide files give shorter batches."""


@dataclass(frozen=True)
class RawBatch:
    """Rows of one file.

    Attributes:
        frame: the file's columns; all text for text files.
        row_numbers: [rows] int64, from 1, header not counted.
        unreadable: rows of this batch's stretch of the file that could not be split into columns.
        left_out: rows of it that `where` left out of `frame`.
    """

    frame: pl.DataFrame
    row_numbers: pa.Array
    unreadable: Sequence[UnreadableRow] = ()
    left_out: int = 0
