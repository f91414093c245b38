"""Overload: what cannot be answered in time is turned away at once, before anything is read of it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

from endcap.core.settings import ResilienceSettings
from endcap.core.token_bucket import TokenBucket
from endcap_transformer.resilience.concurrency_limit import ConcurrencyLimit
from endcap_transformer.telemetry.metrics import ServingMetrics

WAITED_SHARE_OF_BUDGET = 0.4
"""A request that waited for so much of its budget before it was looked at leaves too little for its answer."""
PLACE_WAIT_SHARE_OF_BUDGET = 0.3
"""How long a request waits for a place while nobody knows what whole lists take: they leave some every few milliseconds."""
PLACE_WAIT_SHARES = (0.2, 0.5)
"""Bounds of that once it is known: what is left of the budget when a whole list takes what it usually does."""
CROWD_WAIT_SHARE_OF_BUDGET = 0.1
"""How long a request is kept, whether a place would be of use to it or not, for each that waits already: callers that ask again at once are
slowed down the more, the more of them there are."""
WAIT_SHARE_MAX = 0.9
SPARE_A_SECOND = 10.0
"""Lists from memory for requests without a place: some percent of a core."""
SPARE_MAX = 10.0
LAG_LOOK_S = 0.025
"""A look costs a tenth of a millisecond of an idle process, so a hundred a second would be a percent of a core."""
LAG_PROMPT_S = 0.005
LAG_PERSISTS_S = 0.1


class Lag(Protocol):
    """What says whether the event loop keeps up."""

    def persists(self, now: float) -> bool:
        """Whether it has not for a while."""


class Overloaded(Exception):
    """This request is not answered now."""


class Place:
    """A place among the requests in work.

    Args:
        leave: gives it back.
    """

    def __init__(self, leave: Callable[[], None]) -> None:
        self._leave: Callable[[], None] | None = leave

    def leave(self) -> None:
        """Give it back, once."""
        leave, self._leave = self._leave, None
        if leave is not None:
            leave()


@dataclass(frozen=True)
class Spare:
    """What a request has that found no place: lists from memory.

    Attributes:
        spent: told how many.
    """

    spent: Callable[[int], None]


_PLACE: ContextVar[Place | Spare | None] = ContextVar("endcap_place", default=None)


def leave_place() -> None:
    """Give back the place of the request in work, which goes on without one."""
    place = _PLACE.get()
    if isinstance(place, Place):
        place.leave()


def from_memory(lists: int) -> bool:
    """Whether the request in work found no place: its lists call no other part, and are made of what is in memory.

    Args:
        lists: that it wants.
    """
    place = _PLACE.get()
    if not isinstance(place, Spare):
        return False
    place.spent(lists)
    return True


class Admission:
    """Decides for HTTP and gRPC alike which requests are worked on.

    When hundreds of requests come in with one turn of the loop, each is decided when its own turn comes: the first few are admitted, others
    wait for a place, the last come first (adaptive LIFO, Maurer 2015: who has waited has the least time left for a list). Of those who find
    none so many a second get a list from memory; the rest cost as little as their refusal. The wait also keeps those who ask again at once
    from asking thousands of times a second.

    Args:
        settings: bounds.
        budget_ms: what a request may take.
        metrics: where requests in work and turned away are counted.
        lag: says whether the event loop keeps up.
        limit: how many may be in work.
        clock: seconds that never go back, the same that stamps arrivals.
    """

    def __init__(  # noqa: PLR0917
        self,
        settings: ResilienceSettings,
        budget_ms: float,
        metrics: ServingMetrics,
        lag: Lag,
        limit: ConcurrencyLimit,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.clock = clock
        self.retry_after_s = settings.retry_after_seconds
        self.in_flight = 0
        self._limit = limit
        self._waiting: list[asyncio.Future[None]] = []
        self._kept = 0
        self._spare = TokenBucket(SPARE_A_SECOND, SPARE_MAX, clock)
        self._for_quiet: list[asyncio.Future[None]] = []
        self._waiting_max = settings.in_flight_max
        self._waited_max_s = WAITED_SHARE_OF_BUDGET * budget_ms / 1000
        self._budget_s = budget_ms / 1000
        self._lag = lag
        self._shed = {protocol: metrics.shed.labels(protocol).inc for protocol in ("http", "grpc")}
        self._count_spare = metrics.spare_lists.inc
        metrics.in_flight.set_function(lambda: self.in_flight)
        metrics.concurrency_limit.set_function(lambda: limit.places)

    @asynccontextmanager
    async def admitted(self, protocol: str, arrived: float | None = None) -> AsyncIterator[None]:
        """Hold one of the places while the body runs; or none, where `from_memory` then says so in the body.

        Args:
            protocol: http or grpc.
            arrived: when the request came, by the clock; now when it is not known.

        Raises:
            Overloaded: there is no place, or the request has waited for too long already.
        """
        now = self.clock()
        came = now if arrived is None else arrived
        is_stale = now - came > self._waited_max_s and self._lag.persists(now)
        kept_until = came + self._crowd_wait_s()
        if not is_stale and await self._has_place(came + self._place_wait_s() - now):
            self._limit.admitted(self.in_flight)
            place: Place | Spare = Place(self._leave)
        elif not is_stale and self._spare.take(1, 1) is None:
            place = Spare(self._spent)
        else:
            await self._keep(kept_until - self.clock())
            self._shed[protocol]()
            raise Overloaded
        token = _PLACE.set(place)
        try:
            yield
        finally:
            _PLACE.reset(token)
            if isinstance(place, Place):
                place.leave()

    async def quiet(self, patience_s: float) -> None:
        """Return once no admitted request is in work, or when patience is over; at once only after the loop has turned."""
        await asyncio.sleep(0)
        if not self.in_flight:
            return
        quiet: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._for_quiet.append(quiet)
        try:
            await asyncio.wait([quiet], timeout=patience_s)
        finally:
            self._for_quiet.remove(quiet)

    async def _has_place(self, wait_s: float) -> bool:
        """Take a place, now or once one is given back; False when there is none in time."""
        if self.in_flight < self._limit.places:
            self.in_flight += 1
            return True
        if wait_s <= 0 or len(self._waiting) >= self._waiting_max:
            return False
        loop = asyncio.get_running_loop()
        place: asyncio.Future[None] = loop.create_future()
        self._waiting.append(place)
        timer = loop.call_later(wait_s, place.cancel)
        try:
            await asyncio.wait([place])
        except asyncio.CancelledError:  # whoever asked has gone: a place that came with it is another's
            if place.done() and not place.cancelled():
                self._leave()
            place.cancel()
            raise
        finally:
            timer.cancel()
            if place in self._waiting:
                self._waiting.remove(place)
        return not place.cancelled()

    async def _keep(self, wait_s: float) -> None:
        """Let a caller wait for its refusal, who would ask again at once."""
        if wait_s <= 0 or self._kept >= self._waiting_max:
            return
        self._kept += 1
        try:
            await asyncio.sleep(wait_s)
        finally:
            self._kept -= 1

    def _place_wait_s(self) -> float:
        """For how long a place is of use to who waits: a whole list has to be possible in what is left of the budget then."""
        if not self._limit.usual_s:
            return PLACE_WAIT_SHARE_OF_BUDGET * self._budget_s
        least, most = PLACE_WAIT_SHARES
        return min(max(self._budget_s - self._limit.usual_s, least * self._budget_s), most * self._budget_s)

    def _crowd_wait_s(self) -> float:
        """For how long at least a request is kept, by how many are."""
        return min(CROWD_WAIT_SHARE_OF_BUDGET * (len(self._waiting) + self._kept), WAIT_SHARE_MAX) * self._budget_s

    def _spent(self, lists: int) -> None:
        """Lists after the first are taken off those to come."""
        self._spare.spend(lists - 1)
        self._count_spare(lists)

    def _leave(self) -> None:
        self.in_flight -= 1
        while self._waiting and self.in_flight < self._limit.places:
            place = self._waiting.pop()
            if not place.done():
                self.in_flight += 1
                place.set_result(None)
        if not self.in_flight:
            for quiet in self._for_quiet:
                if not quiet.done():
                    quiet.set_result(None)


class LoopLag:
    """Wakes every 25 ms and sees how much later it is than that; belongs to the running event loop.

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
