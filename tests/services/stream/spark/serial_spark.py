"""Spark's distributed tables as far as a batch needs them, one task after the other in this process: for many examples at little cost."""

# ruff: noqa: N802, N815 - the names are Spark's

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pyarrow as pa


class SerialRdd:
    """Partitions of elements; nothing is lazy."""

    def __init__(self, partitions: Sequence[Sequence[Any]]) -> None:
        self._partitions = partitions

    def map(self, made: Callable[[Any], Any]) -> "SerialRdd":
        return SerialRdd([[made(each) for each in part] for part in self._partitions])

    def filter(self, keeps: Callable[[Any], bool]) -> "SerialRdd":
        return SerialRdd([[each for each in part if keeps(each)] for part in self._partitions])

    def mapPartitions(self, made: Callable[[Iterator[Any]], Iterable[Any]]) -> "SerialRdd":
        return SerialRdd([list(made(iter(part))) for part in self._partitions])

    def mapPartitionsWithIndex(self, made: Callable[[int, Iterator[Any]], Iterable[Any]]) -> "SerialRdd":
        return SerialRdd([list(made(index, iter(part))) for index, part in enumerate(self._partitions)])

    def partitionBy(self, count: int, place: Callable[[Any], int]) -> "SerialRdd":
        parts: list[list[Any]] = [[] for _ in range(count)]
        for part in self._partitions:
            for each in part:
                parts[place(each[0]) % count].append(each)
        return SerialRdd(parts)

    def persist(self) -> "SerialRdd":
        return self

    def unpersist(self) -> None:
        """Nothing is held elsewhere."""

    def collect(self) -> list[Any]:
        return [each for part in self._partitions for each in part]

    def getNumPartitions(self) -> int:
        return len(self._partitions)


@dataclass(frozen=True)
class SerialFrame:
    """Partitions of rows."""

    partitions: Sequence[pa.RecordBatch]

    def mapInArrow(self, made: Callable[[Iterable[pa.RecordBatch]], Iterable[pa.RecordBatch]], schema: str) -> "SerialFrame":
        names = [column.split()[0] for column in schema.split(",")]
        return SerialFrame([pa.Table.from_batches(made([part])).select(names).combine_chunks().to_batches()[0] for part in self.partitions])

    def coalesce(self, _count: int) -> "SerialFrame":
        return self

    def unionByName(self, other: "SerialFrame") -> "SerialFrame":
        return SerialFrame([*self.partitions, *other.partitions])

    def select(self, name: str) -> "SerialFrame":
        return SerialFrame([part.select([name]) for part in self.partitions])

    def collect(self) -> list[tuple[Any, ...]]:
        return self.rdd.collect()

    def take(self, count: int) -> list[tuple[Any, ...]]:
        return self.rdd.collect()[:count]

    def persist(self) -> "SerialFrame":
        return self

    def unpersist(self) -> None:
        """Nothing is held elsewhere."""

    @property
    def rdd(self) -> SerialRdd:
        return SerialRdd([[tuple(row.values()) for row in part.to_pylist()] for part in self.partitions])


class SerialSession:
    """A session whose tasks run here."""

    sparkContext = SimpleNamespace(broadcast=lambda value: SimpleNamespace(value=value))

    def createDataFrame(self, rows: Sequence[tuple[str, int, int, bytes]], schema: str) -> SerialFrame:
        parts = sorted({row[1] for row in rows})
        return SerialFrame([_record_batch([row for row in rows if row[1] == part]) for part in parts])


def _record_batch(rows: Sequence[tuple[str, int, int, bytes]]) -> pa.RecordBatch:
    kinds = {"topic": pa.string(), "partition": pa.int32(), "offset": pa.int64(), "value": pa.binary()}
    columns = [pa.array(column, kind) for column, kind in zip(zip(*rows, strict=True), kinds.values(), strict=True)]
    return pa.record_batch(columns, names=list(kinds))
