"""A cached look-up: fresh from the cache, else computed once for all who need it at the same time."""

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable
from functools import partial
from typing import Any, Final, Generic, TypeVar

from endcap.core.errors import DependencyUnavailable
from endcap_transformer.telemetry.metrics import CacheMetrics

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
D = TypeVar("D")

Compute = Callable[[], Coroutine[Any, Any, V]]


class Missing:
    """Stands for no value, since None may be one."""


MISSING: Final = Missing()


def _any_value(_value: Any) -> bool:
    return True


def _counts_once(_value: Any) -> int:
    """The weight of a value that counts for one entry."""
    return 1


class CachedLookup(Generic[K, V]):
    """What a stage reads instead of a dependency.

        row = lookup.peek(user_id, None)
        if row is None:
            row = await lookup.compute(user_id, lambda: features.read(user_id))

    Args:
        entries: the most values kept.
        fresh_s: how long a value is fresh; 0 keeps none, and only those who come at the same time share a computation.
        metrics: of this cache, `ServingMetrics.cache(name)`.
        clock: seconds that never go back.
        keeps: which values are worth keeping.
        weigh: how many entries a value counts for.
    """

    def __init__(
        self,
        entries: int,
        fresh_s: float,
        metrics: CacheMetrics,
        clock: Callable[[], float] = time.monotonic,
        *,
        keeps: Callable[[V], bool] = _any_value,
        weigh: Callable[[V], int] = _counts_once,
    ) -> None:
        self._cache: TtlCache[K, V] = TtlCache(entries, fresh_s, clock, fresh_s, weigh)
        self._flights: SingleFlight[K, V] = SingleFlight()
        self._metrics = metrics
        self._keeps = keeps
        metrics.entries.set_function(lambda: len(self._cache))

    def peek(self, key: K, default: D) -> V | D:
        """The fresh value of a key when there is one; counted only then, since a caller without one goes on to `compute`."""
        value = self._cache.get(key, MISSING)
        if isinstance(value, Missing):
            return default
        self._metrics.hit()
        return value

    async def compute(self, key: K, compute: Compute[V]) -> V:
        """The value of a key that `peek` did not find, computed once for all callers; what the computation raises is not kept."""
        self._metrics.miss()

        async def computed() -> V:
            result = await compute()
            if self._keeps(result):
                self._cache.put(key, result)
            return result

        return await self._flights.run(key, computed)

    def is_computing(self, key: K) -> bool:
        """Whether this key is being computed now, so that `compute` would wait for that."""
        return key in self._flights


class TtlCache(Generic[K, V]):
    """Least recently used entries go first; an operation takes the same time however many there are.

    An entry keeps its place after it has expired, for those who would rather have something old than nothing, until newer ones need it
    or it is too old for any reader.

    Args:
        entries: the most it holds; the weights of all entries add up to no more.
        fresh_s: how long an entry is fresh; 0 stores nothing.
        clock: seconds that never go back.
        keep_s: age from which on no entry is read; those at the old end go then, though there is room.
        weigh: how many entries a value counts for.
    """

    def __init__(
        self,
        entries: int,
        fresh_s: float,
        clock: Callable[[], float] = time.monotonic,
        keep_s: float = math.inf,
        weigh: Callable[[V], int] = _counts_once,
    ) -> None:
        self._weight_max = entries
        self._fresh_s = fresh_s
        self._clock = clock
        self._keep_s = keep_s
        self._weigh = weigh
        self._weight = 0
        self._entries: OrderedDict[K, tuple[float, V, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: K, default: D) -> V | D:
        """The fresh value of a key, else `default`."""
        return self.get_stale(key, self._fresh_s, default)

    def get_stale(self, key: K, max_age_s: float, default: D) -> V | D:
        """The value of a key that was put less than `max_age_s` ago, else `default`."""
        entry = self._entries.get(key)
        if entry is None or not 0 <= self._clock() - entry[0] < max_age_s:
            return default
        self._entries.move_to_end(key)
        return entry[1]

    def put(self, key: K, value: V) -> None:
        """Store a value as of now."""
        if not self._fresh_s:
            return
        now, weight = self._clock(), self._weigh(value)
        replaced = self._entries.pop(key, None)
        self._weight += weight - (replaced[2] if replaced else 0)
        self._entries[key] = (now, value, weight)
        while self._weight > self._weight_max:
            self._drop_oldest()
        for _ in range(2):
            oldest = next(iter(self._entries.values()), None)
            if oldest is not None and now - oldest[0] >= self._keep_s:
                self._drop_oldest()

    def _drop_oldest(self) -> None:
        _, (_, _, weight) = self._entries.popitem(last=False)
        self._weight -= weight


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
