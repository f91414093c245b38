"""A circuit breaker: after failures in a row a dependency is left alone for a while, then asked by one call at a time."""

import time
from collections.abc import Callable
from enum import StrEnum


class CircuitState(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class CircuitBreaker:
    """Closed, open after failures in a row, half open after a pause with one probe, closed again when the probe succeeds.

    A call asks `permit()` first and gives the permit back with its outcome. A permit from before a change of state has no say any
    more: what was under way when the circuit opened neither closes it nor takes the probe's place.

    Args:
        failures: failures in a row that open the circuit.
        open_s: how long it stays open before the first probe.
        clock: seconds that never go back; the wall clock has no part in it.
    """

    def __init__(self, failures: int, open_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._failures_max = failures
        self._open_s = open_s
        self._clock = clock
        self._closed = True
        self._failures = 0
        self._opened_at = 0.0
        self._probe: int | None = None
        self._generation = 0
        self.openings = 0

    @property
    def state(self) -> CircuitState:
        if self._closed:
            return CircuitState.CLOSED
        return CircuitState.HALF_OPEN if self._probe is not None or self._has_rested() else CircuitState.OPEN

    def refuses(self) -> bool:
        """Whether `permit` would give none; asking changes nothing."""
        return not self._closed and (self._probe is not None or not self._has_rested())

    def permit(self) -> int | None:
        """A permit to make one call, None while the circuit is open or its probe is under way."""
        if self._closed:
            return self._generation
        if self.refuses():
            return None
        self._generation += 1
        self._probe = self._generation
        return self._probe

    def succeeded(self, permit: int) -> None:
        """The call came back."""
        if permit != self._generation:
            return
        self._failures = 0
        if self._probe is not None:
            self._closed, self._probe = True, None
            self._generation += 1

    def failed(self, permit: int) -> None:
        """The call failed, or was late by its own measure."""
        if permit != self._generation:
            return
        self._failures += 1
        if self._probe is not None or self._failures >= self._failures_max:
            self._open()

    def abandoned(self, permit: int) -> None:
        """The call was given up for a reason that says nothing about the dependency; a probe may be tried again at once."""
        if permit == self._probe:
            self._probe = None
            self._generation += 1

    def _open(self) -> None:
        self._closed, self._probe = False, None
        self._failures = 0
        self._generation += 1
        self._opened_at = self._clock()
        self.openings += 1

    def _has_rested(self) -> bool:
        return self._clock() - self._opened_at >= self._open_s
