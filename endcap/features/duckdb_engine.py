"""Feature builds on DuckDB, in one process with bounded memory."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from endcap.contracts.tables import REQUIRED_TABLES, TABLES, arrow_schema
from endcap.core.errors import DataRejected
from endcap.features.engine import Batches, Written
from endcap.features.manifest import dataset_fingerprint
from endcap.features.snapshots import snapshots_table

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa
    from ibis.backends.duckdb import Backend

ROW_GROUP_ROWS = 20_000


@dataclass(frozen=True)
class Compute:
    """What the computation may take of the machine."""

    memory_limit: str = "2500MB"
    threads: int | None = None


class DuckDbEngine:
    """Reads a dataset folder and writes one Parquet file a feature table."""

    batches = Batches(user_rows=15_000_000, pair_rows=4_000_000)

    def __init__(self, connection: "Backend", dataset_dir: Path, out_dir: Path) -> None:
        self._connection = connection
        self._dataset_dir = dataset_dir
        self._out_dir = out_dir

    def place(self, name: str) -> str:
        return str(self._dataset_dir / f"{name}.parquet")

    def read(self, name: str) -> "ir.Table":
        path = self._dataset_dir / f"{name}.parquet"
        if path.exists():
            try:
                return self._connection.read_parquet(path, table_name=name)
            except Exception as error:
                raise DataRejected(f"cannot be read: {error}", field=str(path), fix="import the dataset again") from error
        if name in REQUIRED_TABLES:
            raise DataRejected("the dataset has no such table", field=str(path), fix="import a dataset first: endcap import --help")
        return self.load(name, arrow_schema(TABLES[name]).empty_table())

    def moments(self, moments: tuple[datetime, ...], data_end: datetime) -> "ir.Table":
        return self.load(f"moments_{moments[0]:%Y%m%d%H%M%S}_{len(moments)}", snapshots_table(moments, data_end))

    def load(self, name: str, table: "pa.Table") -> "ir.Table":
        self._connection.con.register(name, table)
        return self._connection.table(name)

    def keep(self, name: str, expression: "ir.Table") -> "ir.Table":
        return self._connection.create_table(name, expression)

    def write(self, name: str, expressions: Iterable["ir.Table"]) -> Written:
        file: pq.ParquetWriter | None = None
        rows = columns = 0
        try:
            for expression in expressions:
                result = expression.to_pyarrow()
                if file is None:
                    file = pq.ParquetWriter(self._out_dir / f"{name}.parquet", result.schema, compression="zstd")
                    columns = len(result.schema)
                file.write_table(result, row_group_size=ROW_GROUP_ROWS)
                rows += result.num_rows
        finally:
            if file is not None:
                file.close()
        return Written(rows, columns)

    def dataset_fingerprint(self) -> str:
        return dataset_fingerprint(self._dataset_dir)


@contextmanager
def connect_duckdb(spill_dir: Path, compute: Compute) -> Iterator["Backend"]:
    """A connection of its own that computes in UTC and spills to `spill_dir` beyond its memory."""
    import ibis

    connection = ibis.duckdb.connect()
    try:
        # Time zone: EPOCH of a zoned timestamp follows the session's zone.
        connection.raw_sql("SET TimeZone = 'UTC'")
        connection.raw_sql(f"SET memory_limit = '{compute.memory_limit}'")
        connection.raw_sql(f"SET temp_directory = '{spill_dir}'")
        connection.raw_sql("SET preserve_insertion_order = true")
        if compute.threads:
            connection.raw_sql(f"SET threads = {compute.threads}")
        yield connection
    finally:
        connection.disconnect()
