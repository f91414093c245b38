"""A sink that sees what its place has lost: all of it, the last second of it, or nothing."""

from collections.abc import Callable
from datetime import datetime
from itertools import count
from pathlib import Path

import polars as pl
import pytest

from endcap.core.errors import DependencyUnavailable
from endcap.core.settings import Settings
from endcap.events.stream.sessions import Sessions
from endcap.events.stream.subscription import RowsForgotten, Sink, Subscription
from endcap.features.store.online import OnlineFeatures
from endcap.features.store.store_mark import MARK_ID
from endcap_stream.functions import online_sinks
from endcap_stream.watched_sink import WatchedSink, watched
from tests.endcap.events.stream.streamed_events import BEGIN, Collected

NOTHING = Sessions.row_schema.to_frame()


def row(session: str) -> pl.DataFrame:
    return pl.DataFrame([{"session_id": session, "last_at": BEGIN, "session_dwell_ms": 0}], schema=Sessions.row_schema).with_columns(
        pl.col(name).fill_null([]) for name, kind in Sessions.row_schema.items() if kind == pl.List
    )


class KeptMark:
    """A mark in memory; `answers` says whether a write is confirmed."""

    def __init__(self) -> None:
        self.text: str | None = None
        self.answers = True

    def read(self) -> str | None:
        return self.text

    def write(self, mark: str, moment: datetime) -> None:
        self.text = mark
        if not self.answers:
            raise DependencyUnavailable("no answer")


@pytest.fixture
def mark() -> KeptMark:
    return KeptMark()


@pytest.fixture
def open_sink(mark: KeptMark) -> Callable[[], WatchedSink]:
    """Opens what a new process has."""
    numbers = count()
    return lambda: WatchedSink(Collected(("session_id",)), lambda: mark, lambda: BEGIN, lambda: str(next(numbers)))


def forgets(sink: Sink, rows: pl.DataFrame = NOTHING) -> bool:
    try:
        sink.deliver(rows)
    except RowsForgotten:
        return True
    return False


def test_an_empty_place_is_noticed_once_also_without_rows(open_sink: Callable[[], WatchedSink], mark: KeptMark) -> None:
    sink = open_sink()
    assert [forgets(sink) for _ in range(3)] == [True, False, False]
    sink.deliver(row("s"))
    mark.text = None
    assert [forgets(sink) for _ in range(2)] == [True, False]


def test_a_place_that_lost_its_last_second_is_noticed(open_sink: Callable[[], WatchedSink], mark: KeptMark) -> None:
    sink = open_sink()
    assert forgets(sink)
    sink.deliver(row("s"))
    earlier = mark.text
    sink.deliver(row("t"))
    mark.text = earlier
    assert [forgets(sink, row("u")) for _ in range(2)] == [True, False]


def test_a_mark_is_not_replaced_before_what_was_lost_is_asked_for_again(open_sink: Callable[[], WatchedSink], mark: KeptMark) -> None:
    assert forgets(open_sink(), row("s"))
    assert mark.text is None
    assert forgets(open_sink(), row("s"))


def test_a_new_process_takes_a_mark_as_it_is(open_sink: Callable[[], WatchedSink], mark: KeptMark) -> None:
    mark.text = "of before"
    sink = open_sink()
    assert not forgets(sink) and not forgets(sink, row("s"))


@pytest.mark.parametrize("is_written", [True, False])
def test_a_write_without_an_answer_is_no_loss_whether_it_came_or_not(
    open_sink: Callable[[], WatchedSink], mark: KeptMark, is_written: bool
) -> None:
    sink = open_sink()
    assert forgets(sink)
    sink.deliver(row("s"))
    before, mark.answers = mark.text, False
    with pytest.raises(DependencyUnavailable):
        sink.deliver(row("t"))
    mark.answers = True
    if not is_written:
        mark.text = before
    assert not forgets(sink, row("t"))


@pytest.mark.processes
def test_a_real_store_keeps_the_mark_beside_the_rows(store_home: Path) -> None:
    settings = Settings(home=store_home)
    sinks = online_sinks(settings, lambda: datetime.now(BEGIN.tzinfo))
    (subscription,) = watched([Subscription(Sessions(), sinks["sessions"]())], settings, lambda: datetime.now(BEGIN.tzinfo))
    assert forgets(subscription.sink, row("s"))
    subscription.sink.deliver(row("s"))
    online = OnlineFeatures.open(settings)
    assert online.read(None, "s") is not None and online.read(None, MARK_ID) is not None
    (again,) = watched([Subscription(Sessions(), sinks["sessions"]())], settings, lambda: datetime.now(BEGIN.tzinfo))
    assert not forgets(again.sink)
