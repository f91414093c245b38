"""DuckDB whose memory does not grow with the data."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

MEMORY_LIMIT = "1500MB"
"""What sorting may take before it spills to disk."""


@contextmanager
def bounded_duckdb(spill_dir: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that spills to `spill_dir` beyond MEMORY_LIMIT."""
    config: dict[str, str | bool | int | float | list[str]] = {"memory_limit": MEMORY_LIMIT, "temp_directory": str(spill_dir)}
    with duckdb.connect(config=config) as connection:
        yield connection
