"""A bounded cache whose entries are fresh for a while and may be read when they are stale."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
D = TypeVar("D")


def counts_once(_value: Any) -> int:
    """The weight of a value that counts for one entry."""
    return 1


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
        weigh: Callable[[V], int] = counts_once,
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
