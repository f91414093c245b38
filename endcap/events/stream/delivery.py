"""Rows on their way to their sinks, each sink in a thread of its own: one that is away makes its own rows wait, and nothing else."""

import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Protocol

import polars as pl

from endcap.core.errors import DependencyUnavailable
from endcap.core.log import get_logger
from endcap.events.stream.outbox import Parcel
from endcap.events.stream.subscription import RowsForgotten, Sink

FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 0.5, 30.0
"""After a delivery that failed; doubled each time."""

LOOK_EVERY_SECONDS = 5.0
"""Between two looks whether an idle sink still has its rows."""

CountFailure = Callable[[str], None]
Recall = Callable[[str], None]
"""Puts all rows of a name that still hold into its outbox."""


class WaitingRows(Protocol):
    """Rows of one function that its sink does not have yet; used by one thread."""

    def nothing(self) -> pl.DataFrame:
        """No rows."""

    def parcel(self) -> Parcel | None:
        """The oldest rows that wait; None when none does."""

    def remove(self, parcel: Parcel) -> None:
        """The sink has these."""

    def waiting(self) -> int:
        """How many rows wait."""


@dataclass(slots=True)
class _Route:
    """One sink and what is on its way there."""

    name: str
    outbox: WaitingRows
    sink: Sink
    thread: ThreadPoolExecutor
    every: float = 0.0
    is_watched: bool = False
    parcel: Parcel | None = None
    under_way: Future[None] | None = None
    pause: float = 0.0
    again_at: float = 0.0
    look_at: float = 0.0
    has_forgotten: bool = False


class Delivery:
    """Hands rows over and notes what has arrived; all but the sinks runs in the caller's thread.

    Args:
        outboxes: rows that wait, by name.
        sinks: where they go, by the same names.
        count_failure: called with a name for each delivery that failed.
        timer: monotonic seconds.
        every: seconds between two deliveries that follow one another, by name; at once for those that it lacks.
        recall: called with a name whose sink raised `RowsForgotten`.
        watched: names whose sinks are also called without rows now and then, so that they see what their place has forgotten.
    """

    def __init__(
        self,
        outboxes: Mapping[str, WaitingRows],
        sinks: Mapping[str, Sink],
        count_failure: CountFailure = lambda _: None,
        timer: Callable[[], float] = time.monotonic,
        every: Mapping[str, float] | None = None,
        *,
        recall: Recall = lambda _: None,
        watched: Collection[str] = (),
    ) -> None:
        seconds = every or {}
        self._routes = [
            _Route(
                *(name, outboxes[name], sink, ThreadPoolExecutor(1, thread_name_prefix=f"deliver-{name}")),
                every=seconds.get(name, 0.0),
                is_watched=name in watched,
            )
            for name, sink in sinks.items()
        ]
        self._count_failure, self._timer, self._recall = count_failure, timer, recall

    def open_sinks(self) -> None:
        """Let each sink open what it needs, before there is something for it."""
        for route in self._routes:
            route.parcel = Parcel(route.outbox.nothing(), 0)
            route.under_way = route.thread.submit(_delivered, route.sink, route.parcel.rows)

    def hand_over(self) -> None:
        """Note what has arrived, and send what waits; never blocks."""
        for route in self._routes:
            self._note(route)
            if route.under_way is None and self._timer() >= route.again_at and self._recalled(route):
                route.parcel = route.outbox.parcel() or self._look(route)
                if route.parcel is not None:
                    route.look_at = self._timer() + LOOK_EVERY_SECONDS
                    route.under_way = route.thread.submit(_delivered, route.sink, route.parcel.rows)

    def settle(self, within_seconds: float) -> bool:
        """Deliver until nothing waits or is paused, for so long; whether nothing waits now."""
        end = self._timer() + within_seconds
        while (left := end - self._timer()) > 0:
            for route in self._routes:
                route.again_at = route.again_at if route.pause else 0.0
            self.hand_over()
            under_way = [route.under_way for route in self._routes if route.under_way is not None]
            if not under_way:
                break
            wait(under_way, timeout=left)
        for route in self._routes:
            self._note(route)
        return all(route.outbox.waiting() == 0 for route in self._routes)

    def close(self) -> None:
        """Start nothing more; what is under way and not noted comes again."""
        for route in self._routes:
            route.thread.shutdown(wait=False, cancel_futures=True)

    def _look(self, route: _Route) -> Parcel | None:
        """No rows, where it is time to see whether the place still has what it took."""
        return Parcel(route.outbox.nothing(), 0) if route.is_watched and self._timer() >= route.look_at else None

    def _recalled(self, route: _Route) -> bool:
        """Whether what the place has forgotten waits again; nothing goes there before that is stored."""
        if not route.has_forgotten:
            return True
        try:
            self._recall(route.name)
        except DependencyUnavailable as error:
            self._put_off(route, error)
            return False
        route.has_forgotten = False
        return True

    def _note(self, route: _Route) -> None:
        if route.under_way is None or route.parcel is None or not route.under_way.done():
            return
        error = route.under_way.exception()
        if error is None:
            route.outbox.remove(route.parcel)
            route.pause = 0.0
            route.again_at = self._timer() + route.every if len(route.parcel.rows) else 0.0
        elif isinstance(error, RowsForgotten):
            route.has_forgotten = True
            route.pause = route.again_at = 0.0
        else:
            self._put_off(route, error)
        route.under_way = route.parcel = None

    def _put_off(self, route: _Route, error: BaseException) -> None:
        route.pause = min(MAX_PAUSE_SECONDS, 2 * route.pause or FIRST_PAUSE_SECONDS)
        route.again_at = self._timer() + route.pause
        self._count_failure(route.name)
        get_logger("stream").warning("not delivered; it comes again", sink=route.name, reason=str(error), seconds=route.pause)


def _delivered(sink: Sink, rows: pl.DataFrame) -> None:
    sink.deliver(rows)
