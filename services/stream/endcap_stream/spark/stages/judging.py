"""Second stage: events that are in time and whose ids are ids go to the bucket of their id."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import polars as pl

from endcap.events.stream.columns import MOMENT
from endcap.events.stream.counting import LeftOut, judged
from endcap_stream.spark.stages.buckets import split_by_key
from endcap_stream.spark.stages.parcels import TO_DRIVER, Outgoing, Parcel
from endcap_stream.spark.stages.reading import EVENTS, LETTERS
from endcap_stream.spark.stages.work import Batch, Work
from endcap_stream.spark.storage.packs import Pack, packed

PLACEHOLDERS = "placeholders"
_NEWEST = "__newest"
_STEPS = "steps"

STEPS_SCHEMA = pl.Schema({"received_at": MOMENT, "occurred_at": MOMENT})


def steps_of(events: pl.DataFrame) -> pl.DataFrame:
    """Where the newest moment moved on, in the order of arrival: STEPS_SCHEMA.

    Args:
        events: with these columns, of any order.
    """
    ordered = events.select(STEPS_SCHEMA.names()).sort("received_at")
    newest = pl.col("occurred_at").cum_max()
    return ordered.filter((pl.col("occurred_at") > newest.shift(1)).fill_null(True))


def steps_within(content: bytes) -> bytes:
    """Pack with `steps_of` the events of a pack."""
    events = Pack(content).table(EVENTS)
    return packed({} if events is None else {_STEPS: steps_of(events)})


def steps_together(packs: Iterable[bytes]) -> pl.DataFrame:
    """`steps_of` all events.

    Args:
        packs: from `steps_within`, of all tasks.
    """
    found = [table for table in (Pack(content).table(_STEPS) for content in packs) if table is not None]
    return steps_of(pl.concat([STEPS_SCHEMA.to_frame(), *found]))


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges the events of one task as the in-process driver does: by the newest of the events that arrived before each.

    Attributes:
        work: what is computed.
        batch: what holds for all of it.
        steps: `steps_of` all events; None where no event of the batch can be late because of another one of it. Events that came in the
            same microsecond are judged without each other.
    """

    work: Work
    batch: Batch
    steps: pl.DataFrame | None

    def __call__(self, contents: Iterable[bytes]) -> Iterator[Parcel]:
        """Events by the bucket of their id; letters and counts for the driver."""
        out = Outgoing()
        for pack in map(Pack, contents):
            if (letters := pack.table(LETTERS)) is not None:
                out.add(TO_DRIVER, LETTERS, letters)
            if (events := pack.table(EVENTS)) is not None:
                self._judge(events, out)
        yield from out.parcels()

    def _judge(self, events: pl.DataFrame, out: Outgoing) -> None:
        known = pl.lit(self.batch.present, dtype=MOMENT)
        marked = judged(self._with_newest(events), pl.max_horizontal(pl.col(_NEWEST), known), self.work.delay)
        is_late, is_known = marked["is_late"], marked["is_known"]
        out.count(
            {
                LeftOut.LATE: int(is_late.sum()),
                LeftOut.NO_ID: int((~is_late & ~is_known).sum()),
                PLACEHOLDERS: int(marked["had_placeholder"].sum()),
            }
        )
        for bucket, part in split_by_key(marked.filter(~is_late & is_known).select(events.columns), "event_id", self.work.buckets):
            out.add(bucket, EVENTS, part)

    def _with_newest(self, events: pl.DataFrame) -> pl.DataFrame:
        """With the newest moment of the batch before each; null where none is."""
        if self.steps is None:
            return events.with_columns(pl.lit(None, dtype=MOMENT).alias(_NEWEST))
        steps = self.steps.rename({"occurred_at": _NEWEST})
        return events.sort("received_at").join_asof(steps, on="received_at", strategy="backward", allow_exact_matches=False)
