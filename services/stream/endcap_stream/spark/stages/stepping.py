"""Fifth stage: each function steps the keys of a bucket, and what concerns keys of other buckets goes there."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import polars as pl

from endcap.events.stream.function import KEY, LINKED, LinkedStreamFunction, of_keys
from endcap.events.stream.stepping import stepped
from endcap_stream.spark.stages.bucket_task import BucketTask
from endcap_stream.spark.stages.buckets import buckets_of
from endcap_stream.spark.stages.failures import send_failures
from endcap_stream.spark.stages.keying import DUE_AT_ONCE
from endcap_stream.spark.stages.parcels import Parcel, placed
from endcap_stream.spark.stages.results import Result
from endcap_stream.spark.stages.work import Memory, Standing, Work

_TO = "__to"


@dataclass(frozen=True, slots=True)
class StepFirst:
    """Steps the keys that have events or are due.

    Keys of a function whose keys concern each other are stepped in the next round: here each goes, with its rows and events, to the buckets
    of the keys that it links to.

    Attributes:
        work: what is computed.
        standing: where the stream stands.
    """

    work: Work
    standing: Standing

    def __call__(self, bucket: int, parcels: Iterable[Parcel]) -> Iterator[Parcel]:
        """Tables of functions for the next round."""
        packs, for_driver = placed(parcels)
        yield from for_driver
        task = BucketTask(self.work, bucket, self.standing.batch.state(self.work, Memory.FUNCTIONS, bucket), packs)
        for listener in self.work.listeners:
            function = listener.function
            events = task.events(function)
            due = task.state.due(function.name, self.standing.at.present, DUE_AT_ONCE)
            keys = pl.concat([events[KEY].alias(KEY), due]).unique(maintain_order=True)
            if keys.is_empty():
                continue
            if isinstance(function, LinkedStreamFunction):
                _introduce(function, keys, events, task)
                continue
            result = stepped(function, task.state.rows(function.name, keys), events, keys, self.standing.at)
            send_failures(function.name, result.failures, task.out)
            Result(keys, result.step).send(function, task)
        yield from task.out.parcels()


def _introduce(function: LinkedStreamFunction, keys: pl.Series, events: pl.DataFrame, task: BucketTask) -> None:
    """Send keys, with their rows and events, to those that they link to."""
    rows = task.state.rows(function.name, keys)
    links = function.linked(rows).select(KEY, LINKED)
    of_events = task.received(function, "links")
    links = (links if of_events is None else pl.concat([links, of_events])).unique()
    links = links.with_columns(buckets_of(links[LINKED], task.work.buckets).alias(_TO))
    task.send(task.number, function, "own", keys.alias(KEY).to_frame())
    task.send(task.number, function, "events", events)
    for target in links[_TO].unique().to_list():
        of_target = links.filter(pl.col(_TO) == target)
        task.send(target, function, "own", of_target.select(pl.col(LINKED).alias(KEY)).unique())
        if target != task.number:
            guests = of_target[KEY].unique()
            task.send(target, function, "guests", guests.to_frame())
            task.send(target, function, "guests_state", of_keys(rows, guests))
            task.send(target, function, "events", of_keys(events, guests))
