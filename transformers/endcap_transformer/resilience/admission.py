"""Overload: what cannot be answered in time is turned away at once, before anything is read of it."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from endcap.core.settings import ResilienceSettings
from endcap_transformer.telemetry.metrics import ServingMetrics

WAITED_SHARE_OF_BUDGET = 0.4
"""A request that waited for so much of its budget before it was looked at leaves too little for its answer."""
LIMIT_START = 8.0
LIMIT_MIN = 4.0
LATE_SHARE_OF_BUDGET = 0.7
"""A request that takes longer than this share of its budget is late: what is left is for the way back and for the worst of them."""
LATE_REQUESTS_MAX = 0.1
WINDOW_REQUESTS = 10
WINDOW_S = 0.1
LIMIT_CUT = 0.7
LAG_LOOK_S = 0.01
LAG_PROMPT_S = 0.005
LAG_PERSISTS_S = 0.1


class ConcurrencyLimit:
    """Grows by one while all requests are quick and the limit is used, shrinks by a factor when too many are late.

    Additive increase, multiplicative decrease over windows of requests (Chiu and Jain 1989), as in Netflix's concurrency-limits with
    its rule that a limit far from being reached is not changed; only up to where it started it grows back by itself. One late request says
    nothing; the second in a window does.

    Args:
        most: the limit never exceeds it.
        budget_ms: what a request may take.
    """

    def __init__(self, most: int, budget_ms: float) -> None:
        self._most = float(most)
        self._late_s = LATE_SHARE_OF_BUDGET * budget_ms / 1000
        self.limit = min(LIMIT_START, self._most)
        self._window_start = 0.0
        self._requests = self._late = self._busiest = 0

    def observe(self, now: float, started: float, took_s: float, in_flight: int) -> None:
        """Take note of a request that ended.

        Args:
            now: seconds, any clock that never goes back.
            started: when it was admitted, by the same clock; requests from before the last change of the limit say nothing about it.
            took_s: from its arrival to its end.
            in_flight: requests in work when it was admitted, itself included.
        """
        if started < self._window_start:
            return
        self._requests += 1
        self._late += took_s > self._late_s
        self._busiest = max(self._busiest, in_flight)
        too_late = self._late > LATE_REQUESTS_MAX * max(self._requests, WINDOW_REQUESTS)
        if too_late or (self._requests >= WINDOW_REQUESTS and now - self._window_start >= WINDOW_S):
            self._adjust(too_late, is_used=2 * self._busiest >= int(self.limit))
            self._start_window(now)

    def _adjust(self, too_late: bool, is_used: bool) -> None:
        if too_late and is_used:
            self.limit = max(min(LIMIT_MIN, self._most), self.limit * LIMIT_CUT)
        elif not self._late and (is_used or self.limit < LIMIT_START):
            self.limit = min(self._most, self.limit + 1)

    def _start_window(self, now: float) -> None:
        self._window_start = now
        self._requests = self._late = self._busiest = 0


class Lag(Protocol):
    """What says whether the event loop keeps up."""

    def persists(self, now: float) -> bool:
        """Whether it has not for a while."""


class Overloaded(Exception):
    """This request is not answered now."""


class Ticket:
    """One admitted request; `counts` is False for those whose time says nothing, such as many lists at once."""

    __slots__ = ("arrived", "counts", "in_flight", "started")

    def __init__(self, arrived: float, started: float, in_flight: int) -> None:
        self.arrived = arrived
        self.started = started
        self.in_flight = in_flight
        self.counts = True


class Admission:
    """Decides for HTTP and gRPC alike which requests are worked on.

    When hundreds of requests come in with one turn of the loop, each is decided when its own turn comes: the first few are admitted,
    for the rest the limit is reached, and they cost as little as their refusal.

    Args:
        settings: bounds.
        budget_ms: what a request may take.
        metrics: where requests in work and turned away are counted.
        lag: says whether the event loop keeps up.
        clock: seconds that never go back, the same that stamps arrivals.
    """

    def __init__(
        self,
        settings: ResilienceSettings,
        budget_ms: float,
        metrics: ServingMetrics,
        lag: Lag,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.clock = clock
        self.retry_after_s = settings.retry_after_seconds
        self.in_flight = 0
        self._limit = ConcurrencyLimit(settings.in_flight_max, budget_ms)
        self._waited_max_s = WAITED_SHARE_OF_BUDGET * budget_ms / 1000
        self._lag = lag
        self._shed = {protocol: metrics.shed.labels(protocol).inc for protocol in ("http", "grpc")}
        metrics.in_flight.set_function(lambda: self.in_flight)
        metrics.concurrency_limit.set_function(lambda: int(self._limit.limit))

    @contextmanager
    def admitted(self, protocol: str, arrived: float | None = None) -> Iterator[Ticket]:
        """Hold one of the places while the body runs.

        Args:
            protocol: http or grpc.
            arrived: when the request came, by the clock; now when it is not known.

        Raises:
            Overloaded: there is no place, or the request has waited for too long already.
        """
        now = self.clock()
        came = now if arrived is None else arrived
        if self.in_flight >= int(self._limit.limit) or (now - came > self._waited_max_s and self._lag.persists(now)):
            self._shed[protocol]()
            raise Overloaded
        self.in_flight += 1
        ticket = Ticket(came, now, self.in_flight)
        try:
            yield ticket
        finally:
            self.in_flight -= 1
            if ticket.counts:
                ended = self.clock()
                self._limit.observe(ended, ticket.started, ended - ticket.arrived, ticket.in_flight)


class LoopLag:
    """Wakes every 10 ms and sees how much later it is than that; belongs to the running event loop.

    A loop that is late once, for a garbage collection or a new bundle, catches up by itself. Overload is a loop that has not been
    prompt for a while (the idea of CoDel, Nichols and Jacobson 2012).

    Args:
        seconds: called with each lag.
        clock: seconds that never go back; an event loop's own may stand still while it is busy.
    """

    def __init__(self, seconds: Callable[[float], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._timer: asyncio.TimerHandle | None = None
        self._due = self._prompt_at = 0.0

    def start(self) -> None:
        self._prompt_at = self._clock()
        self._wait()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def persists(self, now: float) -> bool:
        """Whether the loop has not been prompt for a while; `now` by the same clock."""
        return self._timer is not None and now - self._prompt_at > LAG_PERSISTS_S

    def _wait(self) -> None:
        self._due = self._clock() + LAG_LOOK_S
        self._timer = asyncio.get_running_loop().call_later(LAG_LOOK_S, self._look)

    def _look(self) -> None:
        now = self._clock()
        lag_s = max(now - self._due, 0.0)
        self._seconds(lag_s)
        if lag_s <= LAG_PROMPT_S:
            self._prompt_at = now
        self._wait()
