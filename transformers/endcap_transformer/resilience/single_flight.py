"""Single flight: those who miss the same key at the same time wait for one computation."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from functools import partial
from typing import Any, Generic, TypeVar

from endcap.core.errors import DependencyUnavailable

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

Compute = Callable[[], Coroutine[Any, Any, V]]


class Flight(Generic[V]):
    """One computation and how many wait for it."""

    __slots__ = ("task", "waiters")

    def __init__(self, task: asyncio.Task[V]) -> None:
        self.task = task
        self.waiters = 0


class SingleFlight(Generic[K, V]):
    """Runs one computation a key at a time; belongs to one event loop.

    The computation is a task of its own: whoever came first may give up, the others still get the value. When the last of them has
    given up it is cancelled, so that nothing runs without a waiter. Its exception goes to all who wait, and is forgotten.
    """

    def __init__(self) -> None:
        self._flights: dict[K, Flight[V]] = {}

    def __len__(self) -> int:
        return len(self._flights)

    def __contains__(self, key: K) -> bool:
        """Whether a computation of this key is under way, so that `run` would join it."""
        return key in self._flights

    async def run(self, key: K, compute: Compute[V]) -> V:
        """The value of the computation under way, or of a new one.

        Raises:
            DependencyUnavailable: the computation was cancelled from elsewhere, for example by a client that was closed.
        """
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = Flight(asyncio.get_running_loop().create_task(compute()))
            flight.task.add_done_callback(partial(self._ended, key, flight))
        flight.waiters += 1
        try:
            return await asyncio.shield(flight.task)
        except asyncio.CancelledError:
            if flight.task.cancelled() and not self._own_cancellation():
                raise DependencyUnavailable("the computation waited for was cancelled") from None
            raise
        finally:
            flight.waiters -= 1
            if not flight.waiters and not flight.task.done():
                self._remove(key, flight)
                flight.task.cancel()

    def _own_cancellation(self) -> bool:
        task = asyncio.current_task()
        return task is not None and task.cancelling() > 0

    def _ended(self, key: K, flight: Flight[V], _task: asyncio.Task[V]) -> None:
        self._remove(key, flight)

    def _remove(self, key: K, flight: Flight[V]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
