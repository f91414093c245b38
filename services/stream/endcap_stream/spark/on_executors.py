"""The stages of a large batch: a bucket is a task of Spark's, and a shuffle lies between two stages."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa

from endcap_stream.spark.spread import Stage
from endcap_stream.spark.stages.failures import Bury
from endcap_stream.spark.stages.judging import Judge, steps_within
from endcap_stream.spark.stages.parcels import TO_DRIVER, Parcel, partition_of
from endcap_stream.spark.stages.reading import READ_SCHEMA, RecordReader
from endcap_stream.spark.stages.task_beginning import begin_task
from endcap_stream.spark.stages.work import Batch, Standing
from endcap_stream.spark.storage.packs import Pack

if TYPE_CHECKING:
    from pyspark import RDD, Broadcast
    from pyspark.sql import DataFrame


@dataclass(frozen=True, slots=True)
class ExecutorContents:
    """Records as executors read them, kept by Spark.

    Attributes:
        rows: a row a task, columns of READ_SCHEMA.
        sent: the work.
        buckets: into how many parts keys are spread.
    """

    rows: "DataFrame"
    sent: "Broadcast[Any]"
    buckets: int

    def summaries(self) -> Sequence[bytes]:
        """See `Contents`."""
        return [bytes(row[0]) for row in self.rows.select("summary").collect()]

    def steps(self) -> Sequence[bytes]:
        """See `Contents`."""
        found: list[bytes] = self.rows.select("content").rdd.map(lambda row: steps_within(bytes(row[0]))).collect()
        return found

    def judged(self, batch: Batch, steps: pl.DataFrame | None) -> "ExecutorSpread":
        """See `Contents`."""
        sent = self.sent

        def judge(rows: Iterable[Any]) -> Iterator[Parcel]:
            begin_task()
            return Judge(sent.value, batch, steps)(bytes(row[0]) for row in rows)

        return ExecutorSpread(self.rows.select("content").rdd.mapPartitions(judge), sent, self.buckets)

    def release(self) -> None:
        """See `Contents`."""
        self.rows.unpersist()


def read_by_executors(values: "DataFrame", reader: RecordReader, sent: "Broadcast[Any]", buckets: int) -> ExecutorContents:
    """Records that executors read.

    Args:
        values: RECORD_COLUMNS.
        reader: of each task.
        sent: the work.
        buckets: into how many parts keys are spread.
    """

    def read(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        begin_task()
        return reader(batches)

    return ExecutorContents(values.mapInArrow(read, READ_SCHEMA).persist(), sent, buckets)


@dataclass(frozen=True, slots=True)
class ExecutorSpread:
    """Parcels on executors.

    Attributes:
        parcels: of which a stage makes others.
        sent: the work.
        buckets: into how many parts keys are spread.
    """

    parcels: "RDD[Any]"
    sent: "Broadcast[Any]"
    buckets: int

    def through(self, stage: Stage, standing: Batch | Standing) -> "ExecutorSpread":
        """See `Spread`."""
        sent: Any = self.sent
        made: Any = stage

        def run(bucket: int, given: Iterable[Parcel]) -> Iterator[Parcel]:
            begin_task()
            return made(sent.value, standing)(bucket, given)  # type: ignore[no-any-return]

        return replace(self, parcels=self.parcels.partitionBy(self.buckets, partition_of).mapPartitionsWithIndex(run))

    def kept(self) -> "ExecutorSpread":
        """See `Spread`."""
        return replace(self, parcels=self.parcels.persist())

    def words(self) -> list[Pack]:
        """See `Spread`."""
        return [Pack(content) for _, content in self.parcels.filter(_is_for_driver).collect()]

    def for_buckets(self) -> "ExecutorSpread":
        """See `Spread`."""
        return replace(self, parcels=self.parcels.filter(lambda parcel: not _is_for_driver(parcel)))

    def letters(self, batch: Batch, failed: pl.DataFrame) -> list[Pack]:
        """See `Spread`."""
        sent = self.sent

        def bury(parcels: Iterable[Parcel]) -> Iterator[bytes]:
            begin_task()
            return Bury(sent.value, batch, failed)(parcels)

        return [Pack(content) for content in self.for_buckets().parcels.mapPartitions(bury).collect()]

    def release(self) -> None:
        """See `Spread`."""
        self.parcels.unpersist()


def _is_for_driver(parcel: Parcel) -> bool:
    return parcel[0] == TO_DRIVER
