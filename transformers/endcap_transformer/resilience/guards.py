"""Guards: what stands between a request and each part it asks, one a dependency, made once in a process."""

import time
from collections.abc import Callable
from enum import Enum, auto

from endcap.core.log import get_logger
from endcap.core.settings import ResilienceSettings
from endcap_transformer.resilience.bulkhead import Bulkhead
from endcap_transformer.resilience.circuit_breaker import CircuitBreaker, CircuitState
from endcap_transformer.telemetry.metrics import CLOSED, HALF_OPEN, OPEN, ServingMetrics

QUIET_SECONDS = 10.0
"""A stage that keeps failing is logged once in this time."""
GAUGE = {CircuitState.CLOSED: CLOSED, CircuitState.HALF_OPEN: HALF_OPEN, CircuitState.OPEN: OPEN}


class Refusal(Enum):
    """Why a call was not made."""

    OPEN_CIRCUIT = auto()
    BULKHEAD_FULL = auto()


class Guard:
    """Bulkhead and circuit breaker of one dependency."""

    def __init__(
        self, name: str, settings: ResilienceSettings, clock: Callable[[], float], on_change: Callable[[CircuitState], None]
    ) -> None:
        self.name = name
        self.breaker = CircuitBreaker(settings.breaker_failures, settings.breaker_open_seconds, clock, on_change)
        self.bulkhead = Bulkhead(settings.bulkhead_calls)

    def enter(self) -> int | Refusal:
        """A permit, to be given back with `leave`, or why there is none."""
        if self.bulkhead.is_full():
            return Refusal.BULKHEAD_FULL
        permit = self.breaker.permit()
        if permit is None:
            return Refusal.OPEN_CIRCUIT
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
    """One guard a name, made when it is first asked for.

    Args:
        settings: limits, the same for every dependency.
        metrics: where the circuits' states are shown.
        clock: seconds that never go back.
    """

    def __init__(self, settings: ResilienceSettings, metrics: ServingMetrics, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
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
        gauge = self._metrics.breaker(name)
        gauge.set(CLOSED)

        def changed(state: CircuitState) -> None:
            gauge.set(GAUGE[state])
            self._log.warning("circuit changed", dependency=name, state=state.value)

        guard = self._guards[name] = Guard(name, self._settings, self._clock, changed)
        return guard
