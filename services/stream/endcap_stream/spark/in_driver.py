"""The stages of a small batch: in the driver, one bucket after the other, since a task of Spark's costs more than what it would do."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import pyarrow as pa

from endcap_stream.spark.spread import Stage
from endcap_stream.spark.stages.failures import Bury
from endcap_stream.spark.stages.judging import Judge, steps_within
from endcap_stream.spark.stages.parcels import TO_DRIVER, Parcel, partition_of
from endcap_stream.spark.stages.reading import RECORD_COLUMNS, RecordReader
from endcap_stream.spark.stages.work import Batch, Standing, Work
from endcap_stream.spark.storage.packs import Pack

_KINDS = {"topic": pa.string(), "partition": pa.int32(), "offset": pa.int64(), "value": pa.binary()}


@dataclass(frozen=True, slots=True)
class DriverContents:
    """Records that the driver read.

    Attributes:
        work: what is computed.
        summary: pack with what has to be known of them.
        content: pack with their tables.
    """

    work: Work
    summary: bytes
    content: bytes

    def summaries(self) -> Sequence[bytes]:
        """See `Contents`."""
        return [self.summary]

    def steps(self) -> Sequence[bytes]:
        """See `Contents`."""
        return [steps_within(self.content)]

    def judged(self, batch: Batch, steps: pl.DataFrame | None) -> "DriverSpread":
        """See `Contents`."""
        return DriverSpread(self.work, list(Judge(self.work, batch, steps)([self.content])))

    def release(self) -> None:
        """See `Contents`."""


def read_in_driver(rows: Sequence[Any], reader: RecordReader, work: Work) -> DriverContents:
    """Records that are few.

    Args:
        rows: of RECORD_COLUMNS.
        reader: of all of them.
        work: what is computed.
    """
    columns = [pa.array([row[place] for row in rows], kind) for place, kind in enumerate(_KINDS[name] for name in RECORD_COLUMNS)]
    (read,) = reader([pa.record_batch(columns, names=list(RECORD_COLUMNS))])
    return DriverContents(work, read["summary"][0].as_py(), read["content"][0].as_py())


@dataclass(frozen=True, slots=True)
class DriverSpread:
    """Parcels in the driver.

    Attributes:
        work: what is computed.
        parcels: of which a stage makes others.
    """

    work: Work
    parcels: Sequence[Parcel]

    def through(self, stage: Stage, standing: Batch | Standing) -> "DriverSpread":
        """See `Spread`."""
        given: list[list[Parcel]] = [[] for _ in range(self.work.buckets)]
        for parcel in self.parcels:
            given[partition_of(parcel[0])].append(parcel)
        run: Any = stage(self.work, standing)  # type: ignore[arg-type]
        return DriverSpread(self.work, [parcel for bucket, of_bucket in enumerate(given) for parcel in run(bucket, of_bucket)])

    def kept(self) -> "DriverSpread":
        """See `Spread`."""
        return self

    def words(self) -> list[Pack]:
        """See `Spread`."""
        return [Pack(content) for to, content in self.parcels if to == TO_DRIVER]

    def for_buckets(self) -> "DriverSpread":
        """See `Spread`."""
        return DriverSpread(self.work, [parcel for parcel in self.parcels if parcel[0] != TO_DRIVER])

    def letters(self, batch: Batch, failed: pl.DataFrame) -> list[Pack]:
        """See `Spread`."""
        return [Pack(content) for content in Bury(self.work, batch, failed)(self.for_buckets().parcels)]

    def release(self) -> None:
        """See `Spread`."""
