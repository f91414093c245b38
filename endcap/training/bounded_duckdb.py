"""DuckDB whose memory does not grow with the data."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

MEMORY_LIMIT = "1500MB"
"""What sorting may take before it spills to disk."""


@contextmanager
def bounded_duckdb(spill_dir: Path, memory_limit: str = MEMORY_LIMIT) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that spills to `spill_dir` beyond a limit."""
    config: dict[str, str | bool | int | float | list[str]] = {"memory_limit": memory_limit, "temp_directory": str(spill_dir)}
    with duckdb.connect(config=config) as connection:
        yield connection
