"""A place that forgot its rows gets all of them again that still hold."""

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest

from endcap.contracts.signals import Signals
from endcap.core.errors import DependencyUnavailable
from endcap.events.stream.delivery import LOOK_EVERY_SECONDS, Delivery
from endcap.events.stream.function import StreamFunction
from endcap.events.stream.recent_items import RecentItems
from endcap.events.stream.sessions import Sessions
from endcap.events.stream.subscription import RowsForgotten
from tests.endcap.events.stream.streamed_events import BEGIN, Bench, event

KINDS = ("product_view", "add_to_cart", "remove_from_cart", "search", "dwell")
HOUR_S = 3_600


def visits(random: Random) -> list[dict[str, Any]]:
    """Events of twenty visits of ten persons within an hour."""
    return [
        event(
            *(str(number), random.uniform(0, HOUR_S), random.choice(KINDS), f"visit {random.randrange(20)}"),
            **{"item_id": f"i{random.randrange(9)}", "user_id": f"u{random.randrange(10)}", "query": "tea", "dwell_ms": 5},
        )
        for number in range(200)
    ]


class Forgetful:
    """A sink that says once that it lacks rows, and notes what it is given."""

    def __init__(self) -> None:
        self.rows: list[pl.DataFrame] = []
        self.forgets = False

    def deliver(self, rows: pl.DataFrame) -> None:
        if self.forgets:
            self.forgets = False
            raise RowsForgotten("empty")
        self.rows.append(rows)


@pytest.mark.parametrize("function", [Sessions, lambda: RecentItems(Signals())], ids=["sessions", "recent items"])
@pytest.mark.parametrize("seed", range(3))
def test_every_row_that_holds_comes_again_as_it_was(function: Callable[[], StreamFunction], seed: int, tmp_path: Path) -> None:
    bench, random = Bench(function(), tmp_path), Random(seed)
    bench.now = BEGIN
    for some in range(0, 200, 40):
        bench.take(*sorted(visits(random), key=lambda each: each["occurred_at"])[some : some + 40])
    bench.delivered()
    before = dict(bench.sink.rows)
    assert len(before) >= 10
    bench.sink.rows.clear()
    bench.restart()
    assert bench.driver.say_again(bench.function.name) >= len(before)
    bench.driver.step()
    bench.delivered()
    assert bench.sink.rows == before
    assert not bench.driver.is_due()
    bench.close()


def test_a_visit_that_nothing_can_reach_any_more_is_not_said_again() -> None:
    bench = Bench(Sessions())
    bench.take(event("1", 0, "click", "old", item_id="a"))
    bench.take(event("2", 4 * HOUR_S, "click", "new", item_id="b"))
    bench.delivered()
    bench.sink.rows.clear()
    bench.driver.say_again("sessions")
    bench.driver.step()
    bench.delivered()
    assert list(bench.sink.rows) == [("new",)]


def test_rows_of_a_sink_that_forgot_are_recalled_before_anything_else_goes_there() -> None:
    bench, sink, recalled = Bench(Sessions()), Forgetful(), list[str]()
    bench.take(event("1", 0, "click", item_id="a"))
    full = [True]

    def recall(name: str) -> None:
        recalled.append(name)
        assert not sink.rows
        if full.pop() if full else False:
            raise DependencyUnavailable("no disk")

    failures, now = list[str](), [0.0]
    delivery = Delivery(bench.driver.outboxes, {"sessions": sink}, failures.append, lambda: now[0], recall=recall)
    sink.forgets = True
    delivery.settle(30)
    assert (recalled, failures, sink.rows) == (["sessions"], ["sessions"], [])
    now[0] += 60
    assert delivery.settle(30)
    assert recalled == ["sessions"] * 2
    assert [rows["session_id"].to_list() for rows in sink.rows] == [["s"]]


@pytest.mark.parametrize(("watched", "looks"), [(("sessions",), 2), ((), 0)])
def test_an_idle_sink_is_looked_at_now_and_then_where_it_is_watched(watched: tuple[str, ...], looks: int) -> None:
    bench, sink, now = Bench(Sessions()), Forgetful(), [0.0]
    delivery = Delivery(bench.driver.outboxes, {"sessions": sink}, timer=lambda: now[0], watched=watched)
    for seconds in (0.0, LOOK_EVERY_SECONDS / 2, LOOK_EVERY_SECONDS):
        now[0] = seconds
        delivery.settle(30)
    assert [len(rows) for rows in sink.rows] == [0] * looks
