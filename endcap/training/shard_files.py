"""Shards: Parquet files of bounded size, listed in a manifest that says what each holds."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ValidationError

from endcap.core.errors import DataRejected

USERS_A_SHARD = 2_048
"""Users whose examples, or purchases, stand in one shard: about so many, since users are divided by a hash."""
FIX = "run the step build_training_set again"

Manifest = TypeVar("Manifest", bound=BaseModel)


def write_shard(table: pa.Table, path: Path) -> None:
    """Write one shard."""
    pq.write_table(table, path, compression="zstd")


def read_shard(path: Path, rows: int, columns: Sequence[str]) -> pa.Table:
    """Read one shard whole.

    Args:
        path: the file.
        rows: how many the manifest says it has.
        columns: what to read of it.

    Raises:
        DataRejected: the file is missing or broken, or holds something else than the manifest says.
    """
    try:
        table = pq.read_table(path, columns=list(columns), partitioning=None)
    except (OSError, pa.ArrowException) as error:
        raise DataRejected(f"a shard cannot be read: {error}", field=str(path), fix=FIX) from error
    missing = [name for name in columns if name not in table.column_names]
    if missing or len(table) != rows:
        problem = f"a shard lacks {', '.join(missing)}" if missing else f"a shard has {len(table)} rows and should have {rows}"
        raise DataRejected(problem, field=str(path), fix=FIX)
    return table


def read_manifest(path: Path, kind: type[Manifest]) -> Manifest:
    """Read the manifest of a folder of shards.

    Raises:
        DataRejected: there is none, or it is of another version.
    """
    try:
        return kind.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise DataRejected("no shards of this version", field=str(path.parent), fix=FIX) from error
