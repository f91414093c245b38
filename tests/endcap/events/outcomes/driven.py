"""The stream's functions driven as a stream drives them: by batches, with state handed over as it is stored."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import polars as pl

from endcap.events.outcomes.journal_store import JournalStore
from endcap.events.outcomes.outcome_counters import OutcomeTotals
from endcap.events.outcomes.resolution import Journal
from endcap.events.outcomes.whole_log import journal_of_rows, outcome_functions
from endcap.events.outcomes.windows import Windows
from endcap.events.stream.function import DUE_AT, KEY, Instant, StreamFunction
from tests.endcap.events.outcomes.made_events import Row, frame

LAG = timedelta(hours=2)


class Driven:
    """One function with its state and its rows, each event coming once.

    Args:
        function: what is driven.
    """

    def __init__(self, function: StreamFunction) -> None:
        self.function = function
        self.state = pl.DataFrame(schema=function.state_schema)
        self.due = pl.DataFrame(schema={KEY: pl.String(), DUE_AT: pl.Datetime("us", "UTC")})
        self.rows: dict[tuple[Any, ...], tuple[Any, ...]] = {}

    def step(self, events: pl.DataFrame, at: Instant) -> None:
        keyed = self.function.keyed(events)
        keys = pl.concat([keyed.select(KEY), self.due.filter(pl.col(DUE_AT) <= at.present).select(KEY)]).unique()
        if keys.is_empty():
            return
        done = self.function.step(self.state.join(keys, on=KEY, how="semi"), keyed, at)
        self.state = pl.concat([self.state.join(keys, on=KEY, how="anti"), done.state])
        self.due = pl.concat([self.due.join(keys, on=KEY, how="anti"), done.due])
        place = [done.rows.columns.index(name) for name in self.function.row_key]
        self.rows |= {tuple(row[number] for number in place): row for row in done.rows.iter_rows()}

    def said(self) -> pl.DataFrame:
        return pl.DataFrame(list(self.rows.values()), schema=self.function.row_schema, orient="row")


def journal_of_batches(batches: Sequence[pl.DataFrame], windows: Windows) -> tuple[Journal, list[Driven]]:
    """What is said after all batches; the watermark follows the newest event, two hours behind."""
    driven = [Driven(function) for function in outcome_functions(windows)]
    seen: set[str] = set()
    newest = None
    for batch in batches:
        if batch.is_empty():
            continue
        latest = batch["occurred_at"].max()
        newest = latest if newest is None else max(newest, latest)  # type: ignore[type-var]
        fresh = batch.filter(~pl.col("event_id").is_in(sorted(seen))).unique("event_id", keep="first", maintain_order=True)
        seen |= set(fresh["event_id"])
        for each in driven:
            each.step(fresh, Instant(newest, newest - LAG))  # type: ignore[arg-type, operator]
    return journal_of_rows([each.said() for each in driven], windows), driven


def deliver(store: JournalStore, *rows: Row) -> None:
    """All that the functions say of these events."""
    _, driven = journal_of_batches([frame(rows)], Windows())
    for each in driven:
        store.sink(each.function.name).deliver(each.said())


def lists(totals: OutcomeTotals) -> dict[tuple[str, str], tuple[int, int, int]]:
    """Impressions, clicks and purchases by version and surface."""
    return {(row[0], row[1]): (row[2], row[3], row[4]) for row in totals.lists.rows()}
