"""Outcomes of a whole log: one step of the stream's functions from an empty state."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import polars as pl

from endcap.events.outcomes.attribution import Attribution
from endcap.events.outcomes.identified import IdentifiedEvents, touches_of_identified
from endcap.events.outcomes.orders import Orders
from endcap.events.outcomes.places import Places
from endcap.events.outcomes.resolution import Journal
from endcap.events.outcomes.windows import Windows
from endcap.events.stream.function import Instant, StreamFunction


def outcome_functions(windows: Windows) -> tuple[Places, Attribution, Orders, IdentifiedEvents]:
    """The functions whose rows make a `Journal`."""
    return Places(windows.longest), Attribution(windows), Orders(), IdentifiedEvents(windows)


def journal_of_rows(rows: Sequence[pl.DataFrame], windows: Windows) -> Journal:
    """What the functions said, put together.

    Args:
        rows: of each of `outcome_functions`, in their order.
        windows: how long is waited for what follows.
    """
    places, touches, orders, identified = rows
    pairs = pl.concat([touches, touches_of_identified(identified, places, windows)])
    return Journal(places, pairs.unique(Attribution().row_key, keep="any"), orders)


def journal_of_log(events: pl.DataFrame, windows: Windows, present: datetime) -> Journal:
    """What was shown and what followed in a whole log.

    Args:
        events: rows of the contract `Event`; one that stands twice counts once.
        windows: how long is waited for what follows.
        present: the log's end, UTC; later events are left out.
    """
    known = events.filter(pl.col("occurred_at") <= present).unique("event_id", keep="first", maintain_order=True)
    return journal_of_rows(list(_said(outcome_functions(windows), known, Instant(present, present))), windows)


def _said(functions: Iterable[StreamFunction], events: pl.DataFrame, at: Instant) -> Iterable[pl.DataFrame]:
    for function in functions:
        step = function.step(pl.DataFrame(schema=function.state_schema), function.keyed(events), at)
        yield step.rows.cast(function.row_schema)
