"""Last stage, again as long as anything is forwarded: keys that link to each other are stepped, and those that events are forwarded to."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import polars as pl

from endcap.events.stream.forwarding import followed_by
from endcap.events.stream.function import KEY, LinkedStreamFunction, StreamFunction, of_keys
from endcap.events.stream.stepping import nothing, stepped
from endcap_stream.spark.stages.bucket_task import BucketTask
from endcap_stream.spark.stages.failures import send_failures
from endcap_stream.spark.stages.files_table import files_table
from endcap_stream.spark.stages.parcels import TO_DRIVER, Parcel, placed
from endcap_stream.spark.stages.results import FORWARDED, Result, received
from endcap_stream.spark.stages.work import Memory, Standing, Work
from endcap_stream.spark.storage.bucket_state import Change


@dataclass(frozen=True, slots=True)
class Round:
    """Completes the steps of a bucket, writes its state, and tells the driver of its rows.

    Attributes:
        work: what is computed.
        standing: where the stream stands.
    """

    work: Work
    standing: Standing

    def __call__(self, bucket: int, parcels: Iterable[Parcel]) -> Iterator[Parcel]:
        """Rows by function, files and counts for the driver; results and what is forwarded for a further round."""
        packs, for_driver = placed(parcels)
        yield from for_driver
        batch, at = self.standing.batch, self.standing.at
        task = BucketTask(self.work, bucket, batch.state(self.work, Memory.FUNCTIONS, bucket), packs)
        changes: dict[str, Change] = {}
        for listener in self.work.listeners:
            function = listener.function
            result = self._result(function, task)
            if result is not None:
                changes[function.name] = Change(result.keys, result.step.state, result.step.due)
                task.send(TO_DRIVER, function, "rows", result.step.rows.select(function.row_schema.names()))
                result.send(function, task)
        if changes or task.state.files.is_due(at.present):
            files = task.state.written(batch.name(Memory.FUNCTIONS), bucket, changes, at.present)
            task.out.add(TO_DRIVER, Memory.FUNCTIONS, files_table(bucket, files))
        yield from task.out.parcels()

    def _result(self, function: StreamFunction, task: BucketTask) -> Result | None:
        result = received(function, task)
        if isinstance(function, LinkedStreamFunction) and result is None:
            result = self._together(function, task)
        forwarded = task.received(function, FORWARDED)
        return result if forwarded is None else self._after(function, result, forwarded, task)

    def _together(self, function: LinkedStreamFunction, task: BucketTask) -> Result | None:
        """Keys of this bucket with those that link to them; what is said of such guests their own bucket says."""
        own = task.received(function, "own")
        if own is None:
            return None
        keys, events = own[KEY].unique(maintain_order=True), task.events(function)
        rows, all_keys = task.state.rows(function.name, keys), keys
        if (guests := task.received(function, "guests")) is not None:
            all_keys = pl.concat([keys, guests[KEY].unique()])
        if (guests_state := task.received(function, "guests_state")) is not None:
            rows = pl.concat([rows, guests_state.select(rows.columns)])
        result = stepped(function, rows, events, all_keys, self.standing.at)
        ids = of_keys(events, keys)["event_id"].unique().to_list() if result.failures else []
        send_failures(function.name, [replace(failure, event_ids=ids) for failure in result.failures], task.out)
        step = result.step
        theirs = step.rows.filter(function.key_of(step.rows).is_in(keys.implode()))
        return Result(keys, replace(step, state=of_keys(step.state, keys), rows=theirs, due=of_keys(step.due, keys)))

    def _after(self, function: StreamFunction, before: Result | None, events: pl.DataFrame, task: BucketTask) -> Result:
        """Keys that events are forwarded to, after what this batch made of them so far."""
        to = events[KEY].unique()
        before = before or Result(to.clear(), nothing(function, function.state_schema.to_frame()))
        new = to.filter(~to.is_in(before.keys.implode()))
        held = pl.concat([of_keys(before.step.state, to), task.state.rows(function.name, new)])
        later = stepped(function, held, events, to, self.standing.at)
        send_failures(function.name, later.failures, task.out)
        keys = pl.concat([before.keys.alias(KEY), new.alias(KEY)])
        return Result(keys, followed_by(before.step, later.step, to, function.row_key))
