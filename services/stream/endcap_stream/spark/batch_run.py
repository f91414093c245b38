"""One micro-batch: from Kafka's records to states and rows that are stored, whole or not at all."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from endcap.core.clock import Clock
from endcap.core.log import get_logger
from endcap.events.stream.buried import LETTER_KEY, LETTER_SCHEMA, LETTERS
from endcap.events.stream.function import Instant
from endcap_stream.spark.stages.failures import Bury, failures_in
from endcap_stream.spark.stages.files_table import brought_up
from endcap_stream.spark.stages.judging import STEPS_SCHEMA, Judge, steps_of
from endcap_stream.spark.stages.keying import Key
from endcap_stream.spark.stages.once import NEWEST, Once
from endcap_stream.spark.stages.parcels import TO_DRIVER, counts_of, partition_of
from endcap_stream.spark.stages.reading import BROKEN, EVENTS, NUMBERS, READ_SCHEMA, RECORDS, RecordReader
from endcap_stream.spark.stages.reading import LETTERS as BROKEN_LETTERS
from endcap_stream.spark.stages.results import FORWARDED
from endcap_stream.spark.stages.rounds import Round
from endcap_stream.spark.stages.stepping import StepFirst
from endcap_stream.spark.stages.task_beginning import begin_task
from endcap_stream.spark.stages.work import Batch, Memory, Standing, Work
from endcap_stream.spark.storage.batch_record import BatchRecord, BatchRecords, KeptFiles
from endcap_stream.spark.storage.packs import Pack, joined, packed

if TYPE_CHECKING:
    from pyspark import RDD
    from pyspark.sql import DataFrame

_BEHIND = 0.9
"""Of the records that a batch may have; one with so many leaves some in Kafka, most likely."""

_ROUNDS_MAX = 20


@dataclass(frozen=True, slots=True)
class Read:
    """What the driver knows of a batch's records once they are read."""

    records: int
    broken: int
    newest: datetime | None
    oldest: datetime | None
    received_at: datetime | None


@dataclass(frozen=True, slots=True)
class Done:
    """What a batch came to, before it is stored.

    Attributes:
        words: of the stages for the driver.
        rows: by function, and dead letters.
    """

    read: Read
    at: Instant
    words: Sequence[Pack]
    rows: Mapping[str, pl.DataFrame]


class BatchRun:
    """Does the batches of one query, each once.

    Args:
        session: Spark's.
        work: what is computed.
        records: of what is done.
        clock: the present, UTC.
        records_max: that a batch may have.
    """

    def __init__(self, session: Any, work: Work, records: BatchRecords, clock: Clock, records_max: int) -> None:
        self._context = session.sparkContext
        self._work, self._records, self._clock, self._records_max = work, records, clock, records_max
        self._sent = self._context.broadcast(work)

    def run(self, number: int, values: "DataFrame") -> BatchRecord:
        """Do a batch, unless it is done.

        Args:
            number: Spark's.
            values: columns `topic`, `partition`, `offset` and `value`.

        Raises:
            InvalidInput: the state does not fit the checkpoint.
            DependencyUnavailable: the state cannot be read or written.
        """
        done = self._records.read(number)
        if done is not None:
            return done
        before = self._records.before(number)
        batch = Batch(number, self._clock(), before.present, {memory: before.kept(memory) for memory in Memory})
        reader = RecordReader(batch.now, self._work.seal)
        contents = values.mapInArrow(_read_by(reader), READ_SCHEMA).persist()
        once = None
        try:
            read = _summed([row[0] for row in contents.select("summary").collect()])
            if not read.records and not self._is_due(batch):
                return self._stored(batch, before, Done(read, self._instant(batch, read, ()), (), {}))
            once = self._spread(self._judged(contents, batch, read), Once, batch).persist()
            words = _for_driver(once)
            at = self._instant(batch, read, words)
            words += self._stepped(once, Standing(batch, at))
            rows = self._rows(words) | self._letters(once, batch, words)
            return self._stored(batch, before, Done(read, at, words, rows))
        finally:
            contents.unpersist()
            if once is not None:
                once.unpersist()

    def _judged(self, contents: "DataFrame", batch: Batch, read: Read) -> "RDD[Any]":
        steps = self._steps(contents) if self._may_be_late_by_others(batch, read) else None
        sent = self._sent

        def judge(rows: Any) -> Any:
            begin_task()
            return Judge(sent.value, batch, steps)(bytes(row[0]) for row in rows)

        return contents.select("content").rdd.mapPartitions(judge)

    def _may_be_late_by_others(self, batch: Batch, read: Read) -> bool:
        """Whether an event may be late because of another one of the batch that came before it."""
        if read.newest is None or read.oldest is None:
            return False
        return read.newest > batch.present and read.oldest < read.newest - self._work.delay

    def _steps(self, contents: "DataFrame") -> pl.DataFrame:
        found = [
            Pack(content).table("steps") for content in contents.select("content").rdd.map(lambda row: _steps_in(bytes(row[0]))).collect()
        ]
        whole = pl.concat([STEPS_SCHEMA.to_frame(), *(table for table in found if table is not None)])
        return steps_of(whole)

    def _spread(self, parcels: "RDD[Any]", stage: Any, standing: Batch | Standing) -> "RDD[Any]":
        """A stage that has one task a bucket."""
        sent = self._sent

        def run(bucket: int, given: Any) -> Any:
            begin_task()
            return stage(sent.value, standing)(bucket, given)

        return parcels.partitionBy(self._work.buckets, partition_of).mapPartitionsWithIndex(run)

    def _instant(self, batch: Batch, read: Read, words: Sequence[Pack]) -> Instant:
        table = joined(words, NEWEST)
        newest = table["occurred_at"].max() if table is not None else None
        known = max(batch.present, newest) if isinstance(newest, datetime) else batch.present
        present = known if self._is_behind(read) else max(known, batch.now)
        return self._work.counting().instant(present)

    def _is_due(self, batch: Batch) -> bool:
        """Whether time alone has something to do."""
        return any(each.is_due(max(batch.present, batch.now)) for files in batch.files.values() for each in files)

    def _is_behind(self, read: Read) -> bool:
        return read.records >= _BEHIND * self._records_max

    def _stepped(self, once: "RDD[Any]", standing: Standing) -> list[Pack]:
        keyed = self._spread(once.filter(_is_for_bucket), Key, standing)
        step = self._spread(self._spread(keyed, StepFirst, standing), Round, standing)
        words: list[Pack] = []
        for _ in range(_ROUNDS_MAX):
            said = _for_driver(step)
            words += said
            if not counts_of(said)[FORWARDED]:
                return words
            step = self._spread(step.filter(_is_for_bucket), Round, standing)
        raise RuntimeError(f"events are forwarded more than {_ROUNDS_MAX} times within a batch")

    def _rows(self, words: Sequence[Pack]) -> dict[str, pl.DataFrame]:
        rows: dict[str, pl.DataFrame] = {}
        for listener in self._work.listeners:
            function = listener.function
            said = joined(words, f"{function.name}/rows")
            if said is not None:
                rows[function.name] = said.unique(function.row_key, keep="last", maintain_order=True)
        return rows

    def _letters(self, once: "RDD[Any]", batch: Batch, words: Sequence[Pack]) -> dict[str, pl.DataFrame]:
        failed = failures_in(words)
        for function, error, events in failed.group_by("function", "error").len().iter_rows():
            get_logger("stream").error("a function failed", function=function, error=error, events=events)
        found = [table for table in (joined(words, BROKEN_LETTERS),) if table is not None]
        named = failed.filter(pl.col("event_id").is_not_null())
        if len(named):
            letters = once.filter(_is_for_bucket).mapPartitions(_buried_by(self._sent, batch, named))
            found += [table for pack in letters.collect() if (table := Pack(pack).table(BROKEN_LETTERS)) is not None]
        if not found:
            return {}
        return {LETTERS: pl.concat([LETTER_SCHEMA.to_frame(), *found]).unique(LETTER_KEY, keep="last", maintain_order=True)}

    def _stored(self, batch: Batch, before: BatchRecord, done: Done) -> BatchRecord:
        """Write rows, then the record: with it the batch is done."""
        files = {memory: _kept(brought_up(before.kept(memory), done.words, memory)) for memory in Memory}
        record = BatchRecord(
            query=before.query,
            number=batch.number,
            now=batch.now,
            present=done.at.present,
            watermark=done.at.watermark,
            is_behind=self._is_behind(done.read),
            received_at=done.read.received_at,
            counts={**counts_of(done.words), RECORDS: done.read.records, BROKEN: done.read.broken},
            failed=dict(Counter(failures_in(done.words)["function"].to_list())),
            waiting={name: len(table) for name, table in done.rows.items()},
            files=files,
        )
        if done.rows:
            self._work.folder.write(record.rows_name, packed(done.rows))
        self._records.write(record)
        return record


def _read_by(reader: RecordReader) -> Any:
    def read(batches: Any) -> Any:
        begin_task()
        return reader(batches)

    return read


def _buried_by(sent: Any, batch: Batch, failed: pl.DataFrame) -> Any:
    def bury(parcels: Any) -> Any:
        return Bury(sent.value, batch, failed)(parcels)

    return bury


def _summed(summaries: Sequence[bytes]) -> Read:
    table = pl.concat([found for found in (Pack(bytes(each)).table(NUMBERS) for each in summaries) if found is not None] or [_no_numbers()])
    newest, oldest, received_at = table["newest"].max(), table["oldest"].min(), table["received_at"].max()
    moments = [moment if isinstance(moment, datetime) else None for moment in (newest, oldest, received_at)]
    return Read(int(table[RECORDS].sum()), int(table[BROKEN].sum()), *moments)


def _no_numbers() -> pl.DataFrame:
    moment = STEPS_SCHEMA["received_at"]
    return pl.DataFrame(schema={"newest": moment, "oldest": moment, "received_at": moment, RECORDS: pl.Int64(), BROKEN: pl.Int64()})


def _steps_in(content: bytes) -> bytes:
    events = Pack(content).table(EVENTS)
    return packed({} if events is None else {"steps": steps_of(events)})


def _for_driver(parcels: "RDD[Any]") -> list[Pack]:
    return [Pack(content) for to, content in parcels.filter(lambda parcel: parcel[0] == TO_DRIVER).collect()]


def _is_for_bucket(parcel: tuple[int, bytes]) -> bool:
    return parcel[0] != TO_DRIVER


def _kept(files: Sequence[Any]) -> tuple[KeptFiles, ...]:
    return tuple(KeptFiles(names=tuple(each.names), due_us=each.due_us) for each in files)
