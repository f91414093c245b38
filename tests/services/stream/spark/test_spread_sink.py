"""Many rows are written by executors, each once; few by the sink at hand."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import polars as pl
import pytest

from endcap_stream.spark.spread_sink import ROWS_A_TASK, SpreadSink


@dataclass(frozen=True)
class FolderSink:
    """Writes a file a delivery."""

    folder: Path

    def deliver(self, rows: pl.DataFrame) -> None:
        rows.write_parquet(self.folder / f"{uuid4().hex}.parquet")


@pytest.mark.processes
def test_many_rows_are_written_by_executors_and_few_here(session: Any, tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    sink = SpreadSink(session.sparkContext, FolderSink(here), partial(FolderSink, there), 2)
    few = pl.DataFrame({"key": range(ROWS_A_TASK)})
    sink.deliver(few)
    sink.deliver(few.clear())
    many = pl.DataFrame({"key": range(5 * ROWS_A_TASK), "items": [["a", "b"]] * (5 * ROWS_A_TASK)})
    sink.deliver(many)
    assert pl.read_parquet(here / "*.parquet").sort("key").equals(few)
    assert len(list(there.iterdir())) == 2
    assert pl.read_parquet(there / "*.parquet").sort("key").equals(many)
