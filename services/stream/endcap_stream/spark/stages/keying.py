"""Fourth stage: events that are not bots' go to the buckets of the functions' keys."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import polars as pl

from endcap.events.stream.bots import Bots
from endcap.events.stream.counting import LeftOut
from endcap.events.stream.function import KEY, LINKED, LinkedStreamFunction
from endcap.events.stream.subscription import allowed
from endcap_stream.spark.stages.buckets import split_by_key
from endcap_stream.spark.stages.files_table import files_table
from endcap_stream.spark.stages.parcels import TO_DRIVER, Outgoing, Parcel, placed
from endcap_stream.spark.stages.reading import EVENTS, OFFSET
from endcap_stream.spark.stages.work import Listener, Memory, Standing, Work
from endcap_stream.spark.storage.bucket_state import Change
from endcap_stream.spark.storage.packs import joined

TAKEN = "taken"
DUE_AT_ONCE = 10_000
"""Keys of one table and bucket that one batch takes because they are due."""


@dataclass(frozen=True, slots=True)
class Key:
    """Judges the visits of one bucket, and keys what counts for every function.

    Attributes:
        work: what is computed.
        standing: where the stream stands.
    """

    work: Work
    standing: Standing

    def __call__(self, bucket: int, parcels: Iterable[Parcel]) -> Iterator[Parcel]:
        """`<function>/events` and `<function>/links` by bucket of a key; counts and files for the driver."""
        packs, for_driver = placed(parcels)
        yield from for_driver
        out = Outgoing()
        events = joined(packs, EVENTS)
        files = self.standing.batch.files[Memory.VISITS][bucket]
        if events is not None or files.is_due(self.standing.at.present):
            counted = self._of_persons(bucket, events, out)
            for listener in self.work.listeners:
                self._key(listener, allowed(counted, listener.consent), out)
        yield from out.parcels()

    def _of_persons(self, bucket: int, events: pl.DataFrame | None, out: Outgoing) -> pl.DataFrame:
        batch, at = self.standing.batch, self.standing.at
        state = batch.state(self.work, Memory.VISITS, bucket)
        came = self.work.no_events() if events is None else events.sort("received_at", OFFSET).drop(OFFSET)
        due = state.due(Bots.name, at.present, DUE_AT_ONCE)
        keys = pl.concat([came["session_id"].alias(KEY), due]).unique(maintain_order=True)
        counted, bots, step = self.work.counting().of_persons(came, state.rows(Bots.name, keys), at)
        change = Change(keys, step.state, step.due)
        files = state.written(batch.name(Memory.VISITS), bucket, {Bots.name: change}, at.present)
        out.add(TO_DRIVER, Memory.VISITS, files_table(bucket, files))
        out.count({TAKEN: len(counted), LeftOut.BOT: bots})
        return counted

    def _key(self, listener: Listener, events: pl.DataFrame, out: Outgoing) -> None:
        function = listener.function
        keyed = function.keyed(events)
        for bucket, part in split_by_key(keyed, KEY, self.work.buckets):
            out.add(bucket, f"{function.name}/events", part)
        if isinstance(function, LinkedStreamFunction):
            for bucket, part in split_by_key(_of_one_event(keyed), KEY, self.work.buckets):
                out.add(bucket, f"{function.name}/links", part)


def _of_one_event(keyed: pl.DataFrame) -> pl.DataFrame:
    """Pairs of keys that an event is of: `key` and `linked`."""
    sides = keyed.select(KEY, "event_id")
    pairs = sides.join(sides.rename({KEY: LINKED}), on="event_id").filter(pl.col(KEY) != pl.col(LINKED))
    return pairs.select(KEY, LINKED).unique()
