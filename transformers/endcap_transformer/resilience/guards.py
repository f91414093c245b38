"""Guards: what stands between a request and each dependency: bulkheads, so that a slow one cannot take everything, and circuit breakers."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from enum import Enum, StrEnum, auto
from typing import ParamSpec, TypeVar

from endcap.core.errors import DependencyUnavailable
from endcap.core.log import get_logger
from endcap.core.settings import ResilienceSettings
from endcap_transformer.telemetry.metrics import CLOSED, HALF_OPEN, OPEN, ServingMetrics

QUIET_SECONDS = 10.0
"""A stage that keeps failing is logged once in this time."""

P = ParamSpec("P")
T = TypeVar("T")


class BulkheadFull(DependencyUnavailable):
    """As many calls as allowed are under way; this one was not made."""


class Bulkhead:
    """At most so many calls to one dependency at a time; belongs to one event loop.

    Args:
        calls: most calls at the same time.
    """

    def __init__(self, calls: int) -> None:
        self._calls = calls
        self.in_use = 0

    def is_full(self) -> bool:
        return self.in_use >= self._calls

    def enter(self) -> bool:
        """Take a place; False when there is none."""
        if self.in_use >= self._calls:
            return False
        self.in_use += 1
        return True

    def leave(self) -> None:
        """Give the place back."""
        self.in_use -= 1


class BoundedThreads:
    """Blocking calls to one dependency, in threads of its own.

    A call whose waiter has gone still holds a thread: it keeps its place until it has really ended, and when all places are
    held a new call fails at once instead of queueing behind them.

    Args:
        name: of the dependency, for threads and messages.
        threads: how many calls run at once.
        calls: how many may run or wait for a thread.
    """

    def __init__(self, name: str, threads: int, calls: int) -> None:
        self._name = name
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._places = Bulkhead(calls)

    @property
    def in_use(self) -> int:
        """Calls that run or wait for a thread."""
        return self._places.in_use

    def start(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
        """Start a call. Cancelling the future takes it out of the queue; one that runs already runs to its end.

        Raises:
            BulkheadFull: all places are held.
        """
        if not self._places.enter():
            raise BulkheadFull("too many calls are under way", field=self._name, value=self._places.in_use)
        loop = asyncio.get_running_loop()

        def ended(_call: Future[T]) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._places.leave)

        try:
            call = self._pool.submit(function, *args, **kwargs)
        except RuntimeError:
            self._places.leave()
            raise
        call.add_done_callback(ended)
        return asyncio.wrap_future(call, loop=loop)

    def close(self) -> None:
        """Take no more calls; those that run are left to end."""
        self._pool.shutdown(wait=False, cancel_futures=True)


class CircuitState(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


GAUGE = {CircuitState.CLOSED: CLOSED, CircuitState.HALF_OPEN: HALF_OPEN, CircuitState.OPEN: OPEN}


def _ignore(_state: CircuitState) -> None:
    return


class CircuitBreaker:
    """After failures in a row a dependency is left alone for a while, then probed by one call at a time.

    Closed; open after failures in a row over a while; half open after a pause, with one probe; closed again when the probe succeeds.

    A call takes a `permit()` first and gives the permit back with its outcome. A permit from before a change of state has no say any
    more: what was under way when the circuit opened neither closes it nor takes the probe's place.

    Args:
        failures: failures in a row that open the circuit.
        open_s: how long it stays open before the first probe.
        clock: seconds that never go back; the wall clock has no part in it.
        on_change: called with each new state.
        failing_s: how long failures have gone on when they open it: a stall of some milliseconds fails all calls that are under way at
            once, and the part that stalled answers the next one.
    """

    def __init__(
        self,
        failures: int,
        open_s: float,
        clock: Callable[[], float] = time.monotonic,
        on_change: Callable[[CircuitState], None] = _ignore,
        failing_s: float = 0.0,
    ) -> None:
        self.state = CircuitState.CLOSED
        self._failures_max = failures
        self._open_s = open_s
        self._failing_s = failing_s
        self._clock = clock
        self._on_change = on_change
        self._failures = 0
        self._failing_since = 0.0
        self._opened_at = 0.0
        self._probing = False
        self._generation = 0

    def refuses(self) -> bool:
        """Whether `permit` would give none; asking changes nothing."""
        if self.state is CircuitState.CLOSED:
            return False
        if self.state is CircuitState.HALF_OPEN:
            return self._probing
        return self._clock() - self._opened_at < self._open_s

    def permit(self) -> int | None:
        """A permit to make one call, None while the circuit is open or its probe is under way."""
        if self.refuses():
            return None
        if self.state is not CircuitState.CLOSED:
            self._turn(CircuitState.HALF_OPEN)
            self._probing = True
        return self._generation

    def succeeded(self, permit: int) -> None:
        """The call came back."""
        if permit != self._generation:
            return
        self._failures = 0
        if self.state is CircuitState.HALF_OPEN:
            self._turn(CircuitState.CLOSED)

    def failed(self, permit: int) -> None:
        """The call failed, or was late by its own measure."""
        if permit != self._generation:
            return
        now = self._clock()
        if not self._failures:
            self._failing_since = now
        self._failures += 1
        is_lasting = self._failures >= self._failures_max and now - self._failing_since >= self._failing_s
        if self.state is CircuitState.HALF_OPEN or is_lasting:
            self._opened_at = now
            self._turn(CircuitState.OPEN)

    def abandoned(self, permit: int) -> None:
        """The call was given up for a reason that says nothing about the dependency; another probe may be made at once."""
        if permit == self._generation and self.state is CircuitState.HALF_OPEN:
            self._turn(CircuitState.HALF_OPEN)

    def _turn(self, state: CircuitState) -> None:
        self._generation += 1
        self._failures = 0
        self._probing = False
        if state is not self.state:
            self.state = state
            self._on_change(state)


class Rejection(Enum):
    """Why a call was not made."""

    OPEN_CIRCUIT = auto()
    BULKHEAD_FULL = auto()


class Guard:
    """Bulkhead and circuit breaker of one dependency."""

    def __init__(
        self, name: str, settings: ResilienceSettings, clock: Callable[[], float], on_change: Callable[[CircuitState], None]
    ) -> None:
        self.name = name
        self.breaker = CircuitBreaker(
            settings.breaker_failures, settings.breaker_open_seconds, clock, on_change, settings.breaker_failing_seconds
        )
        self.bulkhead = Bulkhead(settings.bulkhead_calls)

    def enter(self) -> int | Rejection:
        """A permit, to be given back with `leave`, or why there is none."""
        if self.bulkhead.is_full():
            return Rejection.BULKHEAD_FULL
        permit = self.breaker.permit()
        if permit is None:
            return Rejection.OPEN_CIRCUIT
        self.bulkhead.enter()
        return permit

    def leave(self, permit: int, succeeded: bool | None) -> None:
        """End a call.

        Args:
            permit: what `enter` gave.
            succeeded: None when its end says nothing about the dependency.
        """
        self.bulkhead.leave()
        if succeeded is None:
            self.breaker.abandoned(permit)
        elif succeeded:
            self.breaker.succeeded(permit)
        else:
            self.breaker.failed(permit)


class Guards:
    """One guard a name, made when it is first needed.

    Args:
        settings: limits, the same for every dependency.
        metrics: where the circuits' states are shown.
        clock: seconds that never go back.
        lane: whose calls are guarded, in front of the dependency's name where its state is shown; empty for shoppers' requests.
    """

    def __init__(
        self, settings: ResilienceSettings, metrics: ServingMetrics, clock: Callable[[], float] = time.monotonic, *, lane: str = ""
    ) -> None:
        self._settings = settings
        self._lane = lane
        self._metrics = metrics
        self._clock = clock
        self._guards: dict[str, Guard] = {}
        self._log = get_logger("transformer")
        self._logged_at: dict[str, float] = {}

    def __getitem__(self, name: str) -> Guard:
        guard = self._guards.get(name)
        return self._new(name) if guard is None else guard

    def report(self, name: str, cause: str) -> None:
        """Log why a stage fell back, the first time in a while."""
        now = self._clock()
        if now - self._logged_at.get(name, -QUIET_SECONDS) >= QUIET_SECONDS:
            self._logged_at[name] = now
            self._log.warning("stage fell back", stage=name, cause=cause)

    def _new(self, name: str) -> Guard:
        shown = f"{self._lane}_{name}" if self._lane else name
        gauge = self._metrics.breaker(shown)
        gauge.set(CLOSED)

        def changed(state: CircuitState) -> None:
            gauge.set(GAUGE[state])
            self._log.warning("circuit changed", dependency=shown, state=state.value)

        guard = self._guards[name] = Guard(name, self._settings, self._clock, changed)
        return guard
