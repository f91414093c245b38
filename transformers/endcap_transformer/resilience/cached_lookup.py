"""A cached look-up: fresh from the cache, else computed once for all who need it at the same time."""

import time
from collections.abc import Callable, Hashable
from typing import Any, Final, Generic, TypeVar

from endcap_transformer.resilience.single_flight import Compute, SingleFlight
from endcap_transformer.resilience.ttl_cache import TtlCache, counts_once
from endcap_transformer.telemetry.metrics import CacheMetrics

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
D = TypeVar("D")


class Missing:
    """Stands for no value, since None may be one."""


MISSING: Final = Missing()


def _any_value(_value: Any) -> bool:
    return True


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
        weigh: Callable[[V], int] = counts_once,
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
