"""What every task of a query needs: sent to the executors once, and of each batch what holds for all of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

import polars as pl

from endcap.events.dead_letters.sealing import Seal
from endcap.events.log.reader import event_schema
from endcap.events.stream.bots import BotRules, Bots
from endcap.events.stream.columns import MOMENT
from endcap.events.stream.counting import Counting
from endcap.events.stream.function import KEY, Instant, StreamFunction
from endcap.events.stream.subscription import NeededConsent
from endcap_stream.spark.storage.bucket_state import BucketFiles, BucketState
from endcap_stream.spark.storage.state_folder import StateFolder


class Memory(StrEnum):
    """What is remembered by which key."""

    SEEN = "seen"
    """Ids of events, by themselves."""
    VISITS = "visits"
    """What the rule for bots knows, by session."""
    FUNCTIONS = "functions"
    """Each function's state, by its own keys."""


SEEN = "seen"
"""The one table of Memory.SEEN."""

SEEN_SCHEMA = pl.Schema({KEY: pl.String(), "occurred_at": MOMENT})


@dataclass(frozen=True, slots=True)
class Listener:
    """A function and the events that it may see.

    Attributes:
        function: what is computed.
        consent: of its events.
    """

    function: StreamFunction
    consent: NeededConsent


@dataclass(frozen=True, slots=True)
class Work:
    """What is computed.

    Attributes:
        listeners: the functions, each name once.
        folder: of the state.
        buckets: into how many parts keys are spread; a state keeps the number that it began with.
        seal: of dead letters.
        delay: between the newest event and the watermark.
        bots: limits of what a person does.
    """

    listeners: Sequence[Listener]
    folder: StateFolder
    buckets: int
    seal: Seal
    delay: timedelta = timedelta(hours=2)
    bots: BotRules = field(default_factory=BotRules)

    def counting(self) -> Counting:
        """What tells events that count from others."""
        return Counting(Bots(self.bots), self.delay)

    def no_events(self) -> pl.DataFrame:
        """Columns of the contract `Event`."""
        return event_schema().to_frame()

    def schemas(self, memory: Memory) -> Mapping[str, pl.Schema]:
        """Columns of each table of a memory."""
        if memory is Memory.SEEN:
            return {SEEN: SEEN_SCHEMA}
        if memory is Memory.VISITS:
            return {Bots.name: Bots.state_schema}
        return {each.function.name: each.function.state_schema for each in self.listeners}


@dataclass(frozen=True, slots=True)
class Batch:
    """What holds for all of a batch.

    Attributes:
        number: Spark's.
        now: the clock's moment when it began, UTC.
        present: where the stream stood before it, UTC.
        files: what each bucket remembers, by memory.
    """

    number: int
    now: datetime
    present: datetime
    files: Mapping[Memory, Sequence[BucketFiles]]

    @property
    def prefix(self) -> str:
        """Begins the names of the batch's files, so that names sort as batches do."""
        return f"{self.number:012d}"

    def state(self, work: Work, memory: Memory, bucket: int) -> BucketState:
        """What one bucket remembers."""
        return BucketState(work.folder, self.files[memory][bucket], work.schemas(memory))

    def name(self, memory: Memory) -> str:
        """Begins the names of the files of a memory."""
        return f"state/{memory.value}/{self.prefix}"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the stream stands in a batch, once it is known.

    Attributes:
        batch: what holds for all of it.
        at: the instant of all its steps.
    """

    batch: Batch
    at: Instant
