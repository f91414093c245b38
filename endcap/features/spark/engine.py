"""Feature builds on Spark: the same expressions by Ibis' Spark backend, from and to any file system that Spark reaches."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from endcap.contracts.tables import REQUIRED_TABLES, TABLES, arrow_schema
from endcap.core.errors import DataRejected, DependencyUnavailable
from endcap.features.engine import Batches, Written
from endcap.features.manifest import DATASET_NAME, MANIFEST_NAME, described_fingerprint
from endcap.features.snapshots import snapshots_table

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

    from endcap.features.spark.folder import SparkFolder

TableFormat = Literal["parquet", "delta"]


class SparkEngine:
    """Reads a dataset folder or address; writes one folder of part files a feature table, sorted by snapshot and entity.

    The session's time zone is set to UTC, as every moment is.
    """

    batches = Batches()

    def __init__(self, session: "SparkSession", dataset: "SparkFolder", out: "SparkFolder", table_format: TableFormat) -> None:
        import ibis

        self._session = session
        self._connection = ibis.pyspark.connect(session)
        self._dataset = dataset
        self._out = out
        self._format = table_format
        self._kept: list[DataFrame] = []

    def place(self, name: str) -> str:
        return self._dataset.path(f"{name}.parquet")

    def read(self, name: str) -> "ir.Table":
        path = self.place(name)
        if self._dataset.has(f"{name}.parquet"):
            try:
                return self._named(name, self._session.read.parquet(path))
            except Exception as error:
                reason = str(error).splitlines()[0]
                raise DataRejected(f"cannot be read: {reason}", field=path, fix="import the dataset again") from error
        if name in REQUIRED_TABLES:
            raise DataRejected("the dataset has no such table", field=path, fix="import a dataset first: endcap import --help")
        return self.load(name, arrow_schema(TABLES[name]).empty_table())

    def moments(self, moments: tuple[datetime, ...], data_end: datetime) -> "ir.Table":
        return self.load(f"moments_{moments[0]:%Y%m%d%H%M%S}_{len(moments)}", snapshots_table(moments, data_end))

    def load(self, name: str, table: "pa.Table") -> "ir.Table":
        return self._named(name, self._session.createDataFrame(table))

    def keep(self, name: str, expression: "ir.Table") -> "ir.Table":
        """Kept in the executors' memory and on their disks; computed when it is first asked for."""
        from pyspark import StorageLevel

        frame = self._frame(expression).persist(StorageLevel.MEMORY_AND_DISK)
        self._kept.append(frame)
        return self._named(name, frame)

    def write(self, name: str, expressions: Iterable["ir.Table"]) -> Written:
        # A folder without the manifest is not finished: it goes before the first of the old tables does.
        self._out.remove(MANIFEST_NAME)
        path = self._out.path(name)
        columns = 0
        for place, expression in enumerate(expressions):
            frame = self._frame(expression)
            columns = len(frame.columns)
            frame.write.format(self._format).mode("append" if place else "overwrite").save(path)
        return Written(self._session.read.format(self._format).load(path).count(), columns)

    def dataset_fingerprint(self) -> str:
        """The one that `endcap import` noted: a digest of all bytes would read the dataset twice.

        Raises:
            DataRejected: the dataset has none.
        """
        found = described_fingerprint(self._dataset.read_text(DATASET_NAME))
        if found is None:
            raise DataRejected("no fingerprint there", field=self._dataset.path(DATASET_NAME), fix="import it again: endcap import --help")
        return found

    def release(self) -> None:
        """Let go of what `keep` kept."""
        for frame in self._kept:
            frame.unpersist()
        self._kept.clear()

    def _frame(self, expression: "ir.Table") -> "DataFrame":
        return self._session.sql(self._connection.compile(expression))

    def _named(self, name: str, frame: "DataFrame") -> "ir.Table":
        frame.createOrReplaceTempView(name)
        return self._connection.table(name)


def check_format(session: "SparkSession", table_format: TableFormat) -> None:
    """Find out before hours of computing whether the tables can be written.

    Raises:
        DependencyUnavailable: Delta was asked for, and Spark was started without it.
    """
    if table_format != "delta":
        return
    try:
        session._jvm.Thread.currentThread().getContextClassLoader().loadClass("io.delta.sql.DeltaSparkSessionExtension")
    except Exception as error:
        raise DependencyUnavailable(
            "Spark has no Delta Lake", field="--format", value=table_format, fix="put delta-spark for Spark 4.0 on Spark's class path"
        ) from error
