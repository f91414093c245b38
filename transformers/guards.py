"""Guards: what stands between a request and each part it asks, one a dependency, made once in a process."""

import time
from collections.abc import Callable
from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Gauge

from endcap.log import get_logger
from endcap.settings import ResilienceSettings
from transformers.bulkhead import Bulkhead
from transformers.circuit_breaker import CircuitBreaker, CircuitState

QUIET_SECONDS = 10.0
"""A stage that keeps failing is logged once in this time."""


class Refusal(StrEnum):
    """Why a call was not made."""

    OPEN = "circuit open"
    FULL = "bulkhead full"
    SPENT = "no time was left"


class GuardMetrics:
    """What the guards count.

    Args:
        registry: where it is registered; None for nowhere.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.refused = Counter("endcap_guard_refused", "Calls that were not made.", ["dependency", "cause"], registry=registry)
        self.openings = Gauge("endcap_circuit_openings", "Times a circuit opened since the start.", ["dependency"], registry=registry)
        self.open = Gauge("endcap_circuit_open", "1 while a circuit is open or half open.", ["dependency"], registry=registry)
        self.in_use = Gauge("endcap_bulkhead_in_use", "Calls under way.", ["dependency"], registry=registry)

    def watch(self, name: str, breaker: CircuitBreaker, bulkhead: Bulkhead) -> None:
        """Read a guard's state whenever it is asked for; a request pays nothing for it."""
        self.openings.labels(name).set_function(lambda: breaker.openings)
        self.open.labels(name).set_function(lambda: float(breaker.state is not CircuitState.CLOSED))
        self.in_use.labels(name).set_function(lambda: bulkhead.in_use)


class Guard:
    """Bulkhead and circuit breaker of one dependency."""

    def __init__(self, name: str, settings: ResilienceSettings, metrics: GuardMetrics, clock: Callable[[], float]) -> None:
        self.name = name
        self.breaker = CircuitBreaker(settings.breaker_failures, settings.breaker_open_seconds, clock)
        self.bulkhead = Bulkhead(settings.bulkhead_calls)
        self._refused = {cause: metrics.refused.labels(name, cause.value) for cause in (Refusal.OPEN, Refusal.FULL)}
        metrics.watch(name, self.breaker, self.bulkhead)

    def enter(self) -> int | Refusal:
        """A permit, to be given back with `leave`, or why there is none."""
        if self.bulkhead.is_full():
            return self._refusal(Refusal.FULL)
        permit = self.breaker.permit()
        if permit is None:
            return self._refusal(Refusal.OPEN)
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

    def _refusal(self, cause: Refusal) -> Refusal:
        self._refused[cause].inc()
        return cause


class Guards:
    """One guard a name, made when it is first asked for.

    Args:
        settings: limits, the same for every dependency.
        registry: where the guards' metrics are registered; None for nowhere.
        clock: seconds that never go back.
    """

    def __init__(
        self, settings: ResilienceSettings, registry: CollectorRegistry | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._metrics = GuardMetrics(registry)
        self._clock = clock
        self._guards: dict[str, Guard] = {}
        self._log = get_logger("transformer")
        self._logged_at: dict[str, float] = {}

    def __getitem__(self, name: str) -> Guard:
        guard = self._guards.get(name)
        if guard is None:
            guard = self._guards[name] = Guard(name, self._settings, self._metrics, self._clock)
        return guard

    def report(self, name: str, cause: str) -> None:
        """Log why a stage fell back, the first time in a while."""
        now = self._clock()
        if now - self._logged_at.get(name, -QUIET_SECONDS) >= QUIET_SECONDS:
            self._logged_at[name] = now
            self._log.warning("stage fell back", stage=name, cause=cause)
