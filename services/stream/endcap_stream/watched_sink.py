"""Sinks of the online store that see when the store has lost what they wrote."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Protocol
from uuid import uuid4

import polars as pl

from endcap.core.clock import Clock
from endcap.core.settings import Settings
from endcap.events.stream.recent_items import RECENT_ITEMS
from endcap.events.stream.sessions import Sessions
from endcap.events.stream.subscription import RowsForgotten, Sink, Subscription
from endcap.features.store.online_rows import OnlineRows
from endcap.features.store.open import open_for_recent_items, open_for_sessions
from endcap.features.store.store_mark import MARKED_RECENT, MARKED_SESSIONS, MarkedView, StoreMark

if TYPE_CHECKING:
    from feast import FeatureStore

_MARKS: Mapping[str, tuple[Callable[[Settings], "FeatureStore"], MarkedView]] = {
    Sessions.name: (open_for_sessions, MARKED_SESSIONS),
    RECENT_ITEMS: (open_for_recent_items, MARKED_RECENT),
}
"""What opens the store and how the mark lies there, by name of the function whose rows go to the online store."""


class Mark(Protocol):
    """See `StoreMark`."""

    def read(self) -> str | None:
        """The mark; None where there is none."""

    def write(self, mark: str, moment: datetime) -> None:
        """Put a mark in the place of the earlier one."""


class WatchedSink:
    """Puts a new mark behind each delivery, and looks before the next one whether the newest is there.

    Args:
        sink: where rows go; several deliveries of a process at a time are not for this.
        open_mark: opens the place's mark.
        clock: the present, UTC.
        new_mark: a text that is not given twice.
    """

    def __init__(self, sink: Sink, open_mark: Callable[[], Mark], clock: Clock, new_mark: Callable[[], str]) -> None:
        self._sink, self._open_mark, self._clock, self._new_mark = sink, open_mark, clock, new_mark
        self._mark: Mark | None = None
        self._written: set[str] = set()
        """The newest mark, and those of which it is not known whether they were written."""
        self._begins_anew = False

    def deliver(self, rows: pl.DataFrame) -> None:
        """Take rows; see `Sink`.

        Raises:
            RowsForgotten: the place lacks rows that it took. All that is delivered after this is taken as if it were the first.
            DependencyUnavailable: the place does not answer.
        """
        if self._mark is None:
            self._sink.deliver(rows.clear())
            self._mark = self._open_mark()
        if not self._begins_anew:
            self._require_rows(self._mark.read())
        self._sink.deliver(rows)
        if not rows.is_empty() or self._begins_anew:
            self._write(self._mark)
            self._begins_anew = False

    def _require_rows(self, found: str | None) -> None:
        if found is not None and (not self._written or found in self._written):
            return
        self._begins_anew = True
        raise RowsForgotten("the mark behind the newest rows is not there", field="online store", value=found)

    def _write(self, mark: Mark) -> None:
        new = self._new_mark()
        self._written.add(new)
        mark.write(new, self._clock())
        self._written = {new}


def watched(subscriptions: Sequence[Subscription], settings: Settings, clock: Clock) -> Sequence[Subscription]:
    """The same, with the sinks of the online store watched; one process at a time may write there.

    Args:
        subscriptions: what is run.
        settings: where the store is.
        clock: the present, UTC.
    """

    def opened(name: str) -> StoreMark:
        open_store, view = _MARKS[name]
        return StoreMark(OnlineRows(open_store(settings), view.name), view)

    def over(each: Subscription) -> Subscription:
        name = each.function.name
        return replace(each, sink=WatchedSink(each.sink, partial(opened, name), clock, lambda: uuid4().hex)) if name in _MARKS else each

    return [over(each) for each in subscriptions]
