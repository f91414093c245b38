"""What a function's steps in one bucket gave so far, between the rounds of a batch."""

from dataclasses import dataclass

import polars as pl

from endcap.events.stream.function import KEY, Step, StreamFunction, no_due
from endcap_stream.spark.stages.bucket_task import BucketTask
from endcap_stream.spark.stages.buckets import split_by_key

FORWARDED = "forwarded"
"""Part of a function's events that wait for a further round, and their count."""


@dataclass(frozen=True, slots=True)
class Result:
    """Of one function.

    Attributes:
        keys: text [k]: all that were stepped.
        step: what came out.
    """

    keys: pl.Series
    step: Step

    def send(self, function: StreamFunction, task: BucketTask) -> None:
        """Put it on the way to the next round, and what it forwards on the way to the buckets of the keys."""
        step = self.step
        task.send(task.number, function, "keys", self.keys.alias(KEY).to_frame())
        task.send(task.number, function, "state", step.state.select(function.state_schema.names()))
        task.send(task.number, function, "rows", step.rows.select(function.row_schema.names()))
        task.send(task.number, function, "due", step.due)
        if len(step.forwarded):
            task.out.count({FORWARDED: len(step.forwarded)})
            for target, part in split_by_key(step.forwarded, KEY, task.work.buckets):
                task.send(target, function, FORWARDED, part)


def received(function: StreamFunction, task: BucketTask) -> Result | None:
    """The result of the round before; None where nothing was stepped."""
    keys = task.received(function, "keys")
    if keys is None:
        return None

    def table(part: str, nothing: pl.DataFrame) -> pl.DataFrame:
        found = task.received(function, part)
        return nothing if found is None else found

    state, rows = table("state", function.state_schema.to_frame()), table("rows", function.row_schema.to_frame())
    return Result(keys[KEY], Step(state, rows, table("due", no_due())))
