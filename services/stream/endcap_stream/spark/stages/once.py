"""Third stage: of each event id the first event, unless one counted in an earlier batch; it goes to the bucket of its session."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import polars as pl

from endcap.events.stream.counting import LeftOut
from endcap.events.stream.function import KEY
from endcap_stream.spark.stages.buckets import split_by_key
from endcap_stream.spark.stages.files_table import files_table
from endcap_stream.spark.stages.parcels import TO_DRIVER, Outgoing, Parcel, placed
from endcap_stream.spark.stages.reading import EVENTS, OFFSET
from endcap_stream.spark.stages.work import SEEN, Batch, Memory, Work
from endcap_stream.spark.storage.bucket_state import Change
from endcap_stream.spark.storage.packs import joined

NEWEST = "newest"


@dataclass(frozen=True, slots=True)
class Once:
    """Tells events that come for the first time from those that came before.

    Attributes:
        work: what is computed.
        batch: what holds for all of it.
    """

    work: Work
    batch: Batch

    def __call__(self, bucket: int, parcels: Iterable[Parcel]) -> Iterator[Parcel]:
        """New events by the bucket of their session; the newest moment, counts and files for the driver."""
        packs, for_driver = placed(parcels)
        yield from for_driver
        out = Outgoing()
        events = joined(packs, EVENTS)
        if events is not None:
            self._take(bucket, events, out)
        yield from out.parcels()

    def _take(self, bucket: int, events: pl.DataFrame, out: Outgoing) -> None:
        state = self.batch.state(self.work, Memory.SEEN, bucket)
        first = events.sort("received_at", OFFSET).unique("event_id", keep="first", maintain_order=True)
        known = state.rows(SEEN, first["event_id"])[KEY]
        new = first.filter(~pl.col("event_id").is_in(known.implode()))
        out.count({LeftOut.DUPLICATE: len(events) - len(new)})
        if new.is_empty():
            return
        seen = new.select(pl.col("event_id").alias(KEY), "occurred_at")
        # Events from before the watermark are late: their ids need no place.
        remembered = pl.col("occurred_at") >= self.batch.present - self.work.delay
        files = state.written(
            *(self.batch.name(Memory.SEEN), bucket, {SEEN: Change(seen[KEY], seen)}, self.batch.present, {SEEN: remembered})
        )
        out.add(TO_DRIVER, Memory.SEEN, files_table(bucket, files))
        out.add(TO_DRIVER, NEWEST, new.select(pl.col("occurred_at").max()))
        for target, part in split_by_key(new, "session_id", self.work.buckets):
            out.add(target, EVENTS, part)
