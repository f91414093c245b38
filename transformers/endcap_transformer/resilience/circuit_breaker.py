"""A circuit breaker: after failures in a row a dependency is left alone for a while, then asked by one call at a time."""

import time
from collections.abc import Callable
from enum import StrEnum


class CircuitState(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


def _unheard(_state: CircuitState) -> None:
    return


class CircuitBreaker:
    """Closed; open after failures in a row; half open after a pause, with one probe; closed again when the probe succeeds.

    A call asks `permit()` first and gives the permit back with its outcome. A permit from before a change of state has no say any
    more: what was under way when the circuit opened neither closes it nor takes the probe's place.

    Args:
        failures: failures in a row that open the circuit.
        open_s: how long it stays open before the first probe.
        clock: seconds that never go back; the wall clock has no part in it.
        on_change: told each new state.
    """

    def __init__(
        self,
        failures: int,
        open_s: float,
        clock: Callable[[], float] = time.monotonic,
        on_change: Callable[[CircuitState], None] = _unheard,
    ) -> None:
        self.state = CircuitState.CLOSED
        self._failures_max = failures
        self._open_s = open_s
        self._clock = clock
        self._on_change = on_change
        self._failures = 0
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
        self._failures += 1
        if self.state is CircuitState.HALF_OPEN or self._failures >= self._failures_max:
            self._opened_at = self._clock()
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
