"""One micro-batch: from Kafka's records to states and rows that are stored, whole or not at all."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from endcap.core.clock import Clock
from endcap.core.log import get_logger
from endcap.events.stream.buried import LETTER_KEY, LETTER_SCHEMA, LETTERS
from endcap.events.stream.function import Instant
from endcap_stream.spark.in_driver import read_in_driver
from endcap_stream.spark.kafka_source import has_records
from endcap_stream.spark.on_executors import read_by_executors
from endcap_stream.spark.read_summary import ReadSummary, summed
from endcap_stream.spark.spread import Contents, Spread
from endcap_stream.spark.stages.failures import failures_in
from endcap_stream.spark.stages.files_table import brought_up
from endcap_stream.spark.stages.judging import steps_together
from endcap_stream.spark.stages.keying import Key
from endcap_stream.spark.stages.once import NEWEST, Once
from endcap_stream.spark.stages.parcels import counts_of
from endcap_stream.spark.stages.reading import BROKEN, RECORD_COLUMNS, RECORDS, RecordReader
from endcap_stream.spark.stages.reading import LETTERS as BROKEN_LETTERS
from endcap_stream.spark.stages.results import FORWARDED
from endcap_stream.spark.stages.rounds import Round
from endcap_stream.spark.stages.stepping import StepFirst
from endcap_stream.spark.stages.work import Batch, Memory, Standing, Work
from endcap_stream.spark.storage.batch_record import BatchRecord, BatchRecords, KeptFiles
from endcap_stream.spark.storage.packs import Pack, joined, packed

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_BEHIND = 0.9
"""Of the records that a batch may have; one with so many leaves some in Kafka, most likely."""

_ROUNDS_MAX = 20
_VALUE = RECORD_COLUMNS.index("value")


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """Attributes:
    records_max: that a batch may have.
    driver_records_max: that a batch may have which the driver computes itself; 0 has all computed by executors.
    """

    records_max: int
    driver_records_max: int


@dataclass(frozen=True, slots=True)
class Done:
    """What a batch came to, before it is stored.

    Attributes:
        words: of the stages for the driver.
        rows: by function, and dead letters.
    """

    read: ReadSummary
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
        limits: of a batch.
        probe_rows: makes the row of a probe, by name of the function among whose rows it goes.
    """

    def __init__(  # noqa: PLR0917
        self,
        session: Any,
        work: Work,
        records: BatchRecords,
        clock: Clock,
        limits: BatchLimits,
        probe_rows: Mapping[str, Callable[[datetime], pl.DataFrame]] | None = None,
    ) -> None:
        self._work, self._records, self._clock, self._limits = work, records, clock, limits
        self._probe_rows = probe_rows or {}
        self._sent = session.sparkContext.broadcast(work)

    def run(self, number: int, values: "DataFrame") -> BatchRecord:
        """Do a batch, unless it is done.

        Args:
            number: Spark's.
            values: RECORD_COLUMNS, with a tick.

        Raises:
            InvalidInput: the state does not fit the checkpoint.
            DependencyUnavailable: the state cannot be read or written.
        """
        done = self._records.read(number)
        if done is not None:
            return done
        before = self._records.before(number)
        batch = Batch(number, self._clock(), before.present, {memory: before.kept(memory) for memory in Memory})
        is_empty = not has_records(values)
        if is_empty and not self._is_due(batch):
            read = summed(())
            return self._stored(batch, before, Done(read, self._instant(batch, read, ()), (), {}))
        contents = self._read(values, batch, is_empty=is_empty)
        try:
            return self._stored(batch, before, self._computed(contents, batch))
        finally:
            contents.release()

    def _read(self, values: "DataFrame", batch: Batch, *, is_empty: bool) -> Contents:
        """By the driver as far as they are few. How many there are is not known before: of a batch that has more, some are read twice."""
        reader, most = RecordReader(batch.now, self._work.seal), self._limits.driver_records_max
        if most:
            # One more than most, and the tick.
            rows = [] if is_empty else [row for row in values.take(most + 2) if row[_VALUE] is not None]
            if len(rows) <= most:
                return read_in_driver(rows, reader, self._work)
        return read_by_executors(values, reader, self._sent, self._work.buckets)

    def _computed(self, contents: Contents, batch: Batch) -> Done:
        read = summed(contents.summaries())
        if read.records == read.probes and not self._is_due(batch):
            return Done(read, self._instant(batch, read, ()), (), self._with_probe({}, read))
        steps = steps_together(contents.steps()) if self._may_be_late_by_others(batch, read) else None
        once = contents.judged(batch, steps).through(Once, batch).kept()
        try:
            words = once.words()
            at = self._instant(batch, read, words)
            words += self._stepped(once, Standing(batch, at))
            return Done(read, at, words, self._with_probe(self._rows(words), read) | self._letters(once, batch, words))
        finally:
            once.release()

    def _may_be_late_by_others(self, batch: Batch, read: ReadSummary) -> bool:
        """Whether an event may be late because of another one of the batch that came before it."""
        if read.newest is None or read.oldest is None:
            return False
        return read.newest > batch.present and read.oldest < read.newest - self._work.delay

    def _instant(self, batch: Batch, read: ReadSummary, words: Sequence[Pack]) -> Instant:
        table = joined(words, NEWEST)
        newest = table["occurred_at"].max() if table is not None else None
        known = max(batch.present, newest) if isinstance(newest, datetime) else batch.present
        present = known if self._is_behind(read) else max(known, batch.now)
        return self._work.counting().instant(present)

    def _is_due(self, batch: Batch) -> bool:
        """Whether time alone has something to do."""
        return any(each.is_due(max(batch.present, batch.now)) for files in batch.files.values() for each in files)

    def _is_behind(self, read: ReadSummary) -> bool:
        return read.records >= _BEHIND * self._limits.records_max

    def _stepped(self, once: Spread, standing: Standing) -> list[Pack]:
        step = once.for_buckets().through(Key, standing).through(StepFirst, standing)
        words: list[Pack] = []
        with ExitStack() as rounds:
            for _ in range(_ROUNDS_MAX):
                # A round writes files: a further one that begins from it must not run it again.
                step = step.through(Round, standing).kept()
                rounds.callback(step.release)
                said = step.words()
                words += said
                if not counts_of(said)[FORWARDED]:
                    return words
                step = step.for_buckets()
        raise RuntimeError(f"events are forwarded more than {_ROUNDS_MAX} times within a batch")

    def _rows(self, words: Sequence[Pack]) -> dict[str, pl.DataFrame]:
        rows: dict[str, pl.DataFrame] = {}
        for listener in self._work.listeners:
            function = listener.function
            said = joined(words, f"{function.name}/rows")
            if said is not None:
                rows[function.name] = said.unique(function.row_key, keep="last", maintain_order=True)
        return rows

    def _with_probe(self, rows: dict[str, pl.DataFrame], read: ReadSummary) -> dict[str, pl.DataFrame]:
        if read.newest_probe is None:
            return rows
        made = {name: of(read.newest_probe) for name, of in self._probe_rows.items()}
        return rows | {name: pl.concat([rows[name], row]) if name in rows else row for name, row in made.items()}

    def _letters(self, once: Spread, batch: Batch, words: Sequence[Pack]) -> dict[str, pl.DataFrame]:
        failed = failures_in(words)
        for function, error, events in failed.group_by("function", "error").len().iter_rows():
            get_logger("stream").error("a function failed", function=function, error=error, events=events)
        found = [table for table in (joined(words, BROKEN_LETTERS),) if table is not None]
        named = failed.filter(pl.col("event_id").is_not_null())
        if len(named):
            found += [table for pack in once.letters(batch, named) if (table := pack.table(BROKEN_LETTERS)) is not None]
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
            newest_probe=done.read.newest_probe,
            counts={**counts_of(done.words), RECORDS: done.read.records, BROKEN: done.read.broken},
            failed=dict(Counter(failures_in(done.words)["function"].to_list())),
            waiting={name: len(table) for name, table in done.rows.items()},
            files=files,
        )
        if done.rows:
            self._work.folder.write(record.rows_name, packed(done.rows))
        self._records.write(record)
        return record


def _kept(files: Sequence[Any]) -> tuple[KeptFiles, ...]:
    return tuple(KeptFiles(names=tuple(each.names), due_us=each.due_us) for each in files)
